//! The direction that text runs in.

/// A direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// From left to right.
    #[default]
    Ltr,
    /// From right to left.
    Rtl,
}

impl Direction {
    /// The value of the attribute `dir`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ltr => "ltr",
            Self::Rtl => "rtl",
        }
    }
}

/// How many letters run in which direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Letters {
    ltr: usize,
    rtl: usize,
}

impl Letters {
    /// Counts the letters of `text`.
    pub fn add(&mut self, text: &str) {
        if text.is_ascii() {
            self.ltr += text.bytes().filter(u8::is_ascii_alphabetic).count();
            return;
        }
        for c in text.chars().filter(|c| c.is_alphabetic()) {
            match c {
                // Hebrew, Arabic, Syriac, Thaana, N'Ko and their kin, with their forms for presentation.
                '\u{590}'..='\u{8ff}'
                | '\u{fb1d}'..='\u{fdff}'
                | '\u{fe70}'..='\u{fefc}'
                | '\u{10800}'..='\u{10fff}'
                | '\u{1e800}'..='\u{1efff}' => self.rtl += 1,
                _ => self.ltr += 1,
            }
        }
    }

    /// Those that were added since `before`.
    pub fn since(self, before: Self) -> Self {
        Self { ltr: self.ltr - before.ltr, rtl: self.rtl - before.rtl }
    }

    /// The direction of a text with these letters; none without any. Names and technical terms are in Latin letters in
    /// other languages as well, so a third is enough.
    pub fn direction(self) -> Option<Direction> {
        match self {
            Self { ltr: 0, rtl: 0 } => None,
            Self { ltr, rtl } if rtl * 2 >= ltr => Some(Direction::Rtl),
            _ => Some(Direction::Ltr),
        }
    }
}

/// The direction of a page, by what stands outside of its blocks of code.
pub fn of_page(markdown: &str) -> Direction {
    if markdown.is_ascii() {
        return Direction::Ltr;
    }
    let mut letters = Letters::default();
    prose(markdown).for_each(|line| letters.add(line));
    letters.direction().unwrap_or_default()
}

/// The lines of Markdown that are not in a fenced block of code.
pub fn prose(markdown: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    markdown.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        fenced ^= is_fence;
        !fenced && !is_fence
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_the_letters_decides() {
        for (text, direction) in [
            ("English", Direction::Ltr),
            ("", Direction::Ltr),
            ("12 + 3", Direction::Ltr),
            ("שלום עולם", Direction::Rtl),
            ("مرحبا", Direction::Rtl),
            ("Docker הוא כלי להרצת תוכנה", Direction::Rtl),
            ("The Hebrew for peace is שלום.", Direction::Ltr),
            ("שלום\n```\ngit clone https://example.org/repository.git\n```\n", Direction::Rtl),
        ] {
            assert_eq!(of_page(text), direction, "{text}");
        }
    }
}
