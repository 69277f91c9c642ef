//! PostgreSQL connection parameters, in the two forms libpq reads: `key='value'` pairs and the query of a URL.
//!
//! Which parameters there are is not decided here. No error quotes its input, which may be part of a password.

#![forbid(unsafe_code)]

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The parameters that an application takes from variables of their own, each with its variable.
pub const VARIABLES: [(&str, &str); 5] =
    [("host", "db_host"), ("port", "db_port"), ("dbname", "db_name"), ("user", "db_user"), ("password", "db_password")];

/// All but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Names and values in the order they were written. [`Display`](fmt::Display) gives `key='value'` pairs.
// No Debug: it holds a password.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

/// Why a text is not a list of parameters, without quoting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// Counts parameters from 1.
    number: usize,
    problem: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "has {} (number {})", self.problem, self.number)
    }
}

impl std::error::Error for Malformed {}

const NO_VALUE: &str = "a parameter without a value: write parameter=value";

impl Parameters {
    /// Reads `key=value` pairs. A value may be in single quotes; a backslash escapes the next character.
    pub fn from_pairs(text: &str) -> Result<Self, Malformed> {
        let mut parameters = Self::default();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (name, value, after) = split_pair(rest).map_err(|problem| parameters.malformed(problem))?;
            parameters.push(name, value);
            rest = after.trim_start();
        }
        Ok(parameters)
    }

    /// Reads `key=value&key=value`, the part of a URL behind its `?`. Percent-encoding is undone, `+` is itself.
    pub fn from_query(query: &str) -> Result<Self, Malformed> {
        let mut parameters = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| parameters.malformed(NO_VALUE))?;
            let decode = |text| {
                let problem = "a parameter that is not UTF-8 once percent-decoded";
                percent_decode_str(text).decode_utf8().map_err(|_| parameters.malformed(problem))
            };
            let (name, value) = (decode(name)?, decode(value)?);
            parameters.push(&name, value);
        }
        Ok(parameters)
    }

    /// Those of [`VARIABLES`] that `get` has a value for. An empty value counts as none.
    pub fn from_variables<E>(get: impl Fn(&str) -> Result<String, E>) -> Result<Self, E> {
        let mut parameters = Self::default();
        for (name, variable) in VARIABLES {
            let value = get(variable)?;
            if !value.is_empty() {
                parameters.push(name, value);
            }
        }
        Ok(parameters)
    }

    /// Appends a parameter. With the same name twice, the later one counts.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The parameters as a URL's query, without the `?`.
    pub fn to_query(&self) -> String {
        let encode = |text| utf8_percent_encode(text, RESERVED);
        self.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
    }

    fn malformed(&self, problem: &'static str) -> Malformed {
        Malformed { number: self.0.len() + 1, problem }
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(f, "{separator}{name}='{}'", value.replace('\\', r"\\").replace('\'', r"\'"))?;
        }
        Ok(())
    }
}

/// The first pair of `text`, and what is behind it.
fn split_pair(text: &str) -> Result<(&str, String, &str), &'static str> {
    let (name, rest) = text.split_once('=').ok_or(NO_VALUE)?;
    let name = name.trim_end();
    if name.contains(char::is_whitespace) {
        return Err(NO_VALUE);
    }
    let rest = rest.trim_start();
    let quoted = rest.starts_with('\'');
    let mut characters = rest.char_indices().skip(usize::from(quoted));
    let mut value = String::new();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((name, value, &rest[at + 1..])),
            c if !quoted && c.is_whitespace() => return Ok((name, value, &rest[at..])),
            c => value.push(c),
        }
    }
    if quoted { Err("a parameter whose quote is not closed") } else { Ok((name, value, "")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        Parameters::from_pairs(text).unwrap().0
    }

    #[test]
    fn pairs_are_read_as_libpq_reads_them() {
        for (text, value) in [
            ("a=b", "b"),
            (" a = b ", "b"),
            ("a='b c'", "b c"),
            (r"a='it\'s \\'", r"it's \"),
            (r"a=b\ c", "b c"),
            (r"a=b\", "b"),
            ("a=''", ""),
            ("a=", ""),
            ("a=b'c", "b'c"),
            ("a='='", "="),
        ] {
            assert_eq!(pairs(text), [("a".to_owned(), value.to_owned())], "{text}");
        }
        assert_eq!(pairs("a=1 b='2'c=3\n").iter().map(|(_, value)| value.as_str()).collect::<String>(), "123");
        assert_eq!(pairs(" "), []);
    }

    #[test]
    fn a_query_is_decoded() {
        let parameters = Parameters::from_query("&a=%27%20+&pass%66ile=&").unwrap();
        assert_eq!(parameters.to_string(), r"a='\' +' passfile=''");
    }

    #[test]
    fn errors_count_and_do_not_quote() {
        for (result, message) in [
            (Parameters::from_pairs("a=1 secret"), "has a parameter without a value: write parameter=value (number 2)"),
            (Parameters::from_pairs("secret b=1"), "has a parameter without a value: write parameter=value (number 1)"),
            (Parameters::from_pairs("a='secret"), "has a parameter whose quote is not closed (number 1)"),
            (
                Parameters::from_query("a=1&&secret"),
                "has a parameter without a value: write parameter=value (number 2)",
            ),
            (Parameters::from_query("a=%FF"), "has a parameter that is not UTF-8 once percent-decoded (number 1)"),
        ] {
            assert_eq!(result.err().unwrap().to_string(), message);
        }
    }

    #[test]
    fn empty_variables_are_left_out() {
        let get = |name: &str| Ok::<_, ()>(if name == "db_user" { String::new() } else { format!("<{name}>") });
        assert_eq!(
            Parameters::from_variables(get).ok().unwrap().to_string(),
            "host='<db_host>' port='<db_port>' dbname='<db_name>' password='<db_password>'"
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(given in prop::collection::vec(("[a-z_]{1,9}", any::<String>()), 0..5)) {
            let given = Parameters(given);
            prop_assert!(Parameters::from_pairs(&given.to_string()) == Ok(given.clone()));
            prop_assert!(Parameters::from_query(&given.to_query()) == Ok(given));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[ -~\u{e9}=&%'\\\\]{0,60}") {
            _ = Parameters::from_pairs(&text);
            _ = Parameters::from_query(&text);
        }
    }
}
