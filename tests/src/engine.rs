//! Ahead-of-time code for tests of how the runner refuses it.

/// `code` as the engine one major version before would have compiled it; `version` is what `wiki-runner --version` prints.
///
/// The code begins with the engine's major version, as text after its length.
///
/// # Panics
/// When the version names no engine, or the code another one.
pub fn of_another_engine(mut code: Vec<u8>, version: &str) -> Vec<u8> {
    let major = version.rsplit("Wasmtime ").next().and_then(|rest| rest.split('.').next()).unwrap_or_default();
    let number: u32 = major.parse().unwrap_or_else(|_| panic!("{version:?} names no version of Wasmtime"));
    let mark = |text: &str| [&[u8::try_from(text.len()).expect("a version is short")], text.as_bytes()].concat();
    let (now, before) = (mark(major), mark(&format!("{:0width$}", number - 1, width = major.len())));
    let at = code.windows(now.len()).position(|window| window == now).expect("the code names its engine");
    code[at..at + now.len()].copy_from_slice(&before);
    code
}

#[cfg(test)]
mod tests {
    use super::of_another_engine;

    #[test]
    fn only_the_version_changes() {
        let code = b"\x7fELF 48 \x00\x0248\x18x86_64".to_vec();
        let other = of_another_engine(code, "wiki-runner 0.1.0 (Wasmtime 48.0.2)");
        assert_eq!(other, b"\x7fELF 48 \x00\x0247\x18x86_64");
    }
}
