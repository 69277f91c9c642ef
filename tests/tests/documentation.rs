//! The examples in the documentation: each is run as it is written, and answers what it says.

use blackbox::{App, Client, Response, repository};

/// A command and what it prints. An ellipsis stands for anything; times are those of the run.
struct Example {
    command: Vec<String>,
    output: String,
}

#[tokio::test]
async fn the_examples_of_the_readme_work() {
    run_examples("README.md").await;
}

#[tokio::test]
async fn the_examples_of_the_api_work() {
    run_examples("docs/API.md").await;
}

/// Runs the `curl` commands of a document, in order, on a wiki of its own.
async fn run_examples(document: &str) {
    let text = std::fs::read_to_string(repository().join(document)).unwrap();
    let examples = examples(&text);
    assert!(examples.len() >= 2, "{document} has examples");
    let wiki = App::wiki().start().await;
    for example in examples {
        let answer = curl(&wiki, &example.command).await;
        assert!((200..300).contains(&answer.status()), "{document}: {:?}\n{answer:?}", example.command);
        let (expected, found) = (without_times(example.output.trim()), without_times(answer.text().trim()));
        let mut rest = found.as_str();
        for (index, piece) in expected.split('…').map(str::trim).enumerate() {
            let at = rest.find(piece).filter(|at| index > 0 || *at == 0);
            let at =
                at.unwrap_or_else(|| panic!("{document}: {:?} answers\n{found}\nnot\n{expected}", example.command));
            rest = &rest[at + piece.len()..];
        }
        assert!(expected.is_empty() || expected.ends_with('…') || rest.is_empty(), "{document}: and then {rest}");
    }
}

/// The `$ curl` commands in the fenced `console` blocks, with the lines that follow each.
fn examples(text: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let (mut in_console, mut open) = (false, false);
    for line in text.lines() {
        if line.starts_with("```") {
            (in_console, open) = (line == "```console", false);
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| in_console) {
            open = command.starts_with("curl ");
            if open {
                let command = shell_words::split(command).unwrap_or_else(|e| panic!("{command}: {e}"));
                examples.push(Example { command, output: String::new() });
            }
        } else if let Some(example) = examples.last_mut().filter(|_| in_console && open) {
            example.output.push_str(line);
            example.output.push('\n');
        }
    }
    examples
}

/// What `curl` would do with these arguments, but with the wiki of the test instead of `http://localhost:8000`.
async fn curl(wiki: &Client, command: &[String]) -> Response {
    let (mut method, mut headers, mut body, mut url) = (None, Vec::new(), None, None);
    let mut arguments = command[1..].iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} has a value: {command:?}"));
        match argument.as_str() {
            "-X" => method = Some(value().as_str()),
            "-H" => headers.push(value().split_once(": ").expect("a header is a name and a value")),
            "-d" => body = Some(value().clone()),
            address => url = Some(address.strip_prefix("http://localhost:8000").expect("the address the wiki runs at")),
        }
    }
    let method = method.unwrap_or(if body.is_some() { "POST" } else { "GET" });
    let mut request = wiki.request(method, url.expect("an address"));
    for (name, value) in &headers {
        request = request.header(name, value);
    }
    if let Some(body) = body {
        let media_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        request = request.body(media_type.map_or("application/x-www-form-urlencoded", |(_, value)| value), body);
    }
    request.await
}

/// `text` with one time in place of all.
fn without_times(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\"20") {
        let end = rest[at + 1..].find('"').map_or(rest.len(), |length| at + 1 + length);
        let is_time = rest[at + 1..end].ends_with('Z') && rest[at + 1..end].contains('T');
        result.push_str(&rest[..at]);
        result.push_str(if is_time { "\"TIME" } else { &rest[at..end] });
        rest = &rest[end..];
    }
    result + rest
}

/// Every test and file that docs/SECURITY.md names is there.
#[test]
fn everything_security_md_names_exists() {
    let root = repository();
    let text = std::fs::read_to_string(root.join("docs/SECURITY.md")).unwrap();
    let tables = text.split_once("## Runner guarantees").expect("its heading").1;
    let rows = tables.lines().filter(|line| line.starts_with("| "));
    let mut sources = String::new();
    for folder in ["src", "runner/src", "tests/tests", "tests/browser"] {
        read_all(&root.join(folder), &mut sources);
    }
    let mut named = 0;
    for row in rows {
        let tests = row.trim_end_matches('|').rsplit('|').next().unwrap();
        for name in tests.split('`').skip(1).step_by(2) {
            let is_there = match name {
                path if path.contains('/') => root.join(path).exists(),
                file if file.ends_with(".test.js") => root.join("tests/browser").join(file).exists(),
                code if code.contains(['#', '-', ' ']) => continue,
                test => sources.contains(&format!("fn {test}(")),
            };
            assert!(is_there, "{name} is not there: {row}");
            named += 1;
        }
    }
    assert!(named > 110, "{named}");
}

/// A file that main.rs does not name is not compiled: its tests would be lost without notice.
#[test]
fn every_file_of_the_suite_is_a_module() {
    let root = repository().join("tests/tests");
    let modules = std::fs::read_to_string(root.join("main.rs")).unwrap();
    let folders = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    for folder in folders.chain([root.clone()]) {
        for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
        {
            let name = file.file_stem().unwrap().to_str().unwrap();
            assert!(name == "main" || modules.contains(&format!("mod {name};")), "{} is no module", file.display());
        }
    }
}

fn read_all(folder: &std::path::Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            read_all(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}
