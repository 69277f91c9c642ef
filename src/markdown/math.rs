//! Formulas: LaTeX between dollars as MathML.
//!
//! A library reads the LaTeX. What it writes is read again here, and only elements and attributes of a short list are kept:
//! whatever it makes of hostile input, a browser sees a formula or its source. Styles become classes, as the policy of
//! pages allows no `style` attribute.

use std::ops::Range;
use std::sync::LazyLock;

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};

use super::escape;

/// The most bytes of a formula that is read; of a longer one, the source is shown.
pub const MAX_FORMULA: usize = 2000;

/// The most bytes of all formulas of a page that are read: each becomes up to a hundred times as long.
pub const MAX_FORMULAS: usize = 50_000;

/// The most groups, commands and environments in each other that are read. The library calls itself for each.
const MAX_DEPTH: usize = 25;

/// The longest space, in any unit, that an author can ask for.
const MAX_LENGTH: f32 = 20.0;

/// None if the library refuses its own defaults.
static CONVERTER: LazyLock<Option<LatexToMathML>> =
    LazyLock::new(|| LatexToMathML::new(MathCoreConfig::default()).ok());

/// Whether the dollars at the ends of `range` are those of a formula, and not of prices or variables: neither touches a
/// letter or digit outside, as in `US$5 or CA$8` and `$HOME:$PATH`.
pub fn is_formula(source: &str, range: &Range<usize>) -> bool {
    let touches = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let source = source.as_bytes();
    !touches(range.start.checked_sub(1).and_then(|before| source.get(before))) && !touches(source.get(range.end))
}

/// `latex` as MathML, on a line of its own if it is `display`ed. None if it cannot be read.
pub fn render(latex: &str, display: bool) -> Option<String> {
    if latex.len() > MAX_FORMULA || depth(latex) > MAX_DEPTH {
        return None;
    }
    let style = if display { MathDisplay::Block } else { MathDisplay::Inline };
    let converted = CONVERTER.as_ref()?.convert_with_local_state(latex, style).ok()?;
    let start = if display { "<math display=\"block\" tabindex=\"0\">" } else { "<math>" };
    let inside = converted.mathml.strip_prefix("<math")?.split_once('>')?.1.strip_suffix("</math>")?;
    let mut out = String::with_capacity(converted.mathml.len() + start.len());
    out.push_str(start);
    rewrite(inside, &mut out)?;
    out.push_str("</math>");
    Some(out)
}

/// Commands that hold whatever follows them in their group.
const SWITCHES: &[&str] = &["color", "displaystyle", "textstyle", "scriptstyle", "scriptscriptstyle"];

/// At least as deep as groups, commands and environments are in each other: commands one after the other may be.
fn depth(latex: &str) -> usize {
    // For each open group, it and what holds the rest of it.
    let mut groups = vec![0];
    let (mut commands, mut depth, mut deepest) = (0, 0, 0);
    let mut rest = latex;
    while let Some(c) = rest.chars().next() {
        let name = rest[c.len_utf8()..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let mut length = c.len_utf8();
        let (mut opens, mut closes) = (matches!(c, '{' | '['), matches!(c, '}' | ']'));
        match c {
            '\\' if name > 0 => {
                length += name;
                match &rest[1..length] {
                    "left" | "begin" => opens = true,
                    "right" | "end" => closes = true,
                    switch if SWITCHES.contains(&switch) => {
                        groups.iter_mut().last().into_iter().for_each(|group| *group += 1);
                        depth += 1;
                    }
                    _ => commands += 1,
                }
            }
            // A command of one character, such as a brace to be shown.
            '\\' => length += rest[1..].chars().next().map_or(0, char::len_utf8),
            // What follows is read before this is done.
            '^' | '_' | '\'' => commands += 1,
            c if c.is_whitespace() || opens || closes => {}
            _ => commands = 0,
        }
        if opens {
            groups.push(1);
            depth += 1;
        } else if closes && groups.len() > 1 {
            depth -= groups.pop().unwrap_or_default();
        }
        deepest = deepest.max(depth + commands);
        rest = &rest[length..];
    }
    deepest
}

/// An element that may be in a formula. Elements of others are left out, and their content stays.
const ELEMENTS: &[&str] = &[
    "mrow",
    "mi",
    "mn",
    "mo",
    "ms",
    "mtext",
    "mspace",
    "mfrac",
    "msqrt",
    "mroot",
    "msub",
    "msup",
    "msubsup",
    "munder",
    "mover",
    "munderover",
    "mmultiscripts",
    "mprescripts",
    "mpadded",
    "mphantom",
    "mtable",
    "mtr",
    "mtd",
    "b",
    "i",
    "em",
    "code",
    "s",
    "u",
    "span",
];

/// Attributes that hold a word or a length.
const ATTRIBUTES: &[&str] = &[
    "accent",
    "accentunder",
    "depth",
    "displaystyle",
    "form",
    "height",
    "largeop",
    "linethickness",
    "lspace",
    "mathvariant",
    "maxsize",
    "minsize",
    "movablelimits",
    "rspace",
    "scriptlevel",
    "stretchy",
    "symmetric",
    "width",
];

/// Styles and classes of the library, and ours. Others, such as colours, are left out.
const CLASSES: &[(&str, &str)] = &[
    ("text-align: left", "left"),
    ("text-align: right", "right"),
    ("padding-left: 0", "tight-left"),
    ("padding-right: 0", "tight-right"),
    ("padding-left:1em", "apart"),
    ("padding-left: 0.1em", "rule"),
    ("padding-top: 0;", "tight"),
    ("border-left: 0.05em solid currentcolor", "line-left"),
    ("border-left: 0.05em dashed currentcolor", "dashes-left"),
    ("border-right: 0.05em solid currentcolor", "line-right"),
    ("border-right: 0.05em dashed currentcolor", "dashes-right"),
    ("border-top: 0.05em solid currentcolor", "line-top"),
    ("border-top: 0.05em dashed currentcolor", "dashes-top"),
    ("width: 100%", "whole"),
    ("width: 50%", "half"),
    ("width: 7.5%", "margin"),
    ("margin-left:-0.1667em", "back"),
    ("math-core-sans-serif-font", "sans"),
    ("menclose-updiagonalstrike", "strike-up"),
    ("menclose-downdiagonalstrike", "strike-down"),
    ("menclose-horizontalstrike", "strike"),
];

/// Writes what is allowed of `markup`. None if it is not whole.
fn rewrite(markup: &str, out: &mut String) -> Option<()> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = markup;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        text(before, out);
        let is_tag = tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        if !is_tag {
            // The library writes the relation as it is.
            text("<", out);
            rest = &tag[1..];
            continue;
        }
        let (inside, after) = tag[1..].split_once('>')?;
        rest = after;
        if let Some(name) = inside.strip_prefix('/') {
            let name = known(name);
            if open.pop()? != name {
                return None;
            }
            if !name.is_empty() {
                out.extend(["</", name, ">"]);
            }
            continue;
        }
        let (inside, is_empty) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
        let (name, written) = inside.split_once(' ').unwrap_or((inside, ""));
        let name = known(name);
        if !name.is_empty() {
            out.extend(["<", name]);
            if inside.starts_with("menclose") {
                out.push_str(" class=\"struck\"");
            }
            attributes(written, out)?;
            out.push('>');
        }
        match (is_empty, name) {
            (true, "") => {}
            (true, name) => out.extend(["</", name, ">"]),
            (false, name) => open.push(name),
        }
    }
    text(rest, out);
    open.is_empty().then_some(())
}

/// The element that is written for one of this name; empty for none.
fn known(name: &str) -> &'static str {
    // MathML Core has no `menclose`.
    let name = if name == "menclose" { "mrow" } else { name };
    ELEMENTS.iter().find(|element| **element == name).copied().unwrap_or_default()
}

/// Writes those of `name="value" …` that are allowed.
fn attributes(written: &str, out: &mut String) -> Option<()> {
    let mut classes: Vec<&str> = Vec::new();
    let mut rest = written.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        rest = after.trim_start();
        if name == "style" || name == "class" {
            let class = |style: &str| {
                CLASSES.iter().find(|(known, _)| known.trim_end_matches(';') == style).map(|(_, class)| *class)
            };
            for class in value.split(';').filter_map(|style| class(style.trim())) {
                if !classes.contains(&class) {
                    classes.push(class);
                }
            }
        } else if let Some(name) = ATTRIBUTES.iter().find(|known| **known == name)
            && is_plain(value)
        {
            out.extend([" ", name, "=\"", value, "\""]);
        }
    }
    if !classes.is_empty() {
        out.extend([" class=\"", &classes.join(" "), "\""]);
    }
    Some(())
}

/// Whether `value` is a word, or a length that is not longer than it may be.
fn is_plain(value: &str) -> bool {
    let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let unit = &value[number.len()..];
    let is_length = || number.parse::<f32>().is_ok_and(|number| number.abs() <= MAX_LENGTH) && unit.len() <= 3;
    number.is_empty() && !unit.contains('%') || is_length()
}

/// Writes text, which has the library's character references or none.
fn text(written: &str, out: &mut String) {
    const REFERENCES: [(&str, &str); 5] =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    let mut rest = written;
    while let Some(at) = rest.find('&') {
        escape::push(out, &rest[..at]);
        rest = &rest[at..];
        let (reference, character) =
            REFERENCES.into_iter().find(|(reference, _)| rest.starts_with(reference)).unwrap_or(("&", "&"));
        escape::push(out, character);
        rest = &rest[reference.len()..];
    }
    escape::push(out, rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_mathml() {
        for (latex, mathml) in [
            ("x", "<math><mi>x</mi></math>"),
            ("a<b", "<math><mi>a</mi><mo>&lt;</mo><mi>b</mi></math>"),
            ("\\frac{1}{2}", "<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>"),
            ("\\text{<b>x}", "<math><mtext>&lt;b&gt;x</mtext></math>"),
        ] {
            assert_eq!(render(latex, false).as_deref(), Some(mathml), "{latex}");
        }
        let block = render("\\begin{pmatrix}a & b\\\\c & d\\end{pmatrix}", true).unwrap();
        assert!(block.starts_with("<math display=\"block\" tabindex=\"0\">") && block.contains("<mtable"), "{block}");
    }

    #[test]
    fn what_cannot_be_read_is_not_a_formula() {
        assert!(render(&"{\\displaystyle x}".repeat(MAX_DEPTH + 1), false).is_some());
        for latex in ["\\frac{1}", "\\nonsense", "{", "\\begin{x}", "^", "a^b^c"] {
            assert_eq!(render(latex, false), None, "{latex}");
        }
        assert_eq!(render(&"x".repeat(MAX_FORMULA + 1), false), None);
        for deep in
            ["{", "\\sqrt", "\\left(", "x^{", "\\begin{matrix}", "\\hat ", "\\sqrt[", "\\mathbf", "\\color{red}x"]
        {
            assert_eq!(render(&deep.repeat(MAX_DEPTH + 1), false), None, "{deep}");
        }
    }

    #[test]
    fn nothing_but_mathematics_is_written() {
        for (latex, refused) in [
            ("\\href{javascript:alert(1)}{x}", "href"),
            ("\\color{red}x", "style"),
            ("\\begin{align}x\\label{_main}\\end{align}", "id="),
            ("\\hspace{9999em}x", "9999"),
        ] {
            let written = render(latex, false).unwrap_or_default();
            assert!(!written.contains(refused), "{written}");
        }
        let mut out = String::new();
        assert_eq!(rewrite("<mi onclick=\"x\">a</mi><script>b</script><mo form=\"a b\">c</mo>", &mut out), Some(()));
        assert_eq!(out, "<mi>a</mi>b<mo>c</mo>");
        for broken in ["<mi>", "</mi>", "<mi></mo>", "<mi", "<mi a>x</mi>"] {
            assert_eq!(rewrite(broken, &mut String::new()), None, "{broken}");
        }
    }

    #[test]
    fn prices_and_variables_are_no_formulas() {
        for (text, range, formula) in [
            ("$x$", 0..3, true),
            ("($x$-axis)", 1..4, true),
            ("US$5 (CA$8", 2..9, false),
            ("$HOME:$PATH", 0..7, false),
            ("由$x$得", 3..6, true),
        ] {
            assert_eq!(is_formula(text, &range), formula, "{text}");
        }
    }
}
