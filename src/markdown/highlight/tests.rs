//! What has which color in which language, and that nothing but color is added to any text.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::languages::{LANGUAGES, Syntax};
use super::*;

/// The HTML of a block.
fn block(info: &str, code: &str) -> String {
    let mut out = String::new();
    write(&mut out, Some(info), code, &mut MAX_PIECES.clone());
    out
}

/// The inside of its element `code`.
fn inside(info: &str, code: &str) -> String {
    let html = block(info, code);
    let (_, inside) = html.split_once("<code").and_then(|(_, rest)| rest.split_once('>')).expect("there is code");
    inside.split_once("</code>").expect("the code ends").0.to_owned()
}

/// The code with colors in place of spans: `k[fn] f[main]()`.
fn colors(language: &str, code: &str) -> String {
    let mut shown = inside(language, code).replace("</span>", "]");
    for class in ["k", "s", "n", "c", "f"] {
        shown = shown.replace(&format!("<span class=\"{class}\">"), &format!("{class}["));
    }
    for (reference, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
        shown = shown.replace(reference, character);
    }
    shown
}

fn check(language: &str, cases: &[(&str, &str)]) {
    for (code, expected) in cases {
        assert_eq!(colors(language, code), *expected, "{language}");
    }
}

#[test]
fn the_table_is_in_order() {
    let mut all: Vec<&str> = Vec::new();
    for language in LANGUAGES {
        if let Syntax::Code(rules) = language.syntax {
            let words: Vec<_> = rules.keywords.split(' ').collect();
            let wrong = words.windows(2).find(|pair| pair[0] >= pair[1]);
            assert_eq!(wrong, None, "keywords of {}", language.name);
            assert!(!rules.ignores_case || rules.keywords == rules.keywords.to_lowercase(), "{}", language.name);
        }
        all.extend(language.aliases.split(' '));
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "each alias is one language's");
    assert!(languages::SHELL.keywords.split(' ').is_sorted());
}

#[test]
fn a_block_has_its_language_above_it() {
    assert_eq!(
        block("rs", "fn"),
        "<div class=\"code\">\n<div class=\"language\">Rust</div>\n<pre tabindex=\"0\"><code class=\"language-rs\">\
         <span class=\"k\">fn</span></code></pre>\n</div>\n"
    );
    for (info, name) in [
        ("RUST", "Rust"),
        ("rust,ignore", "Rust"),
        ("js{1,3}", "JavaScript"),
        ("{.python", "Python"),
        ("c++", "C++"),
        ("sh", "Shell"),
        ("yml", "YAML"),
        ("mermaid", "mermaid"),
        ("<i>", "&lt;i&gt;"),
        ("日本", "日本"),
        ("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwx"),
    ] {
        assert!(block(info, "x").contains(&format!("<div class=\"language\">{name}</div>")), "{info}");
    }
    // Drawings, and text without a language, are as they are written.
    for info in ["text", "TXT", "plain", "{", ","] {
        assert_eq!(
            block(info, "fn 1"),
            format!("<pre tabindex=\"0\"><code class=\"language-{info}\">fn 1</code></pre>\n")
        );
    }
    let mut out = String::new();
    write(&mut out, None, "fn 1", &mut MAX_PIECES.clone());
    assert_eq!(out, "<pre tabindex=\"0\"><code>fn 1</code></pre>\n");
}

#[test]
fn unknown_languages_have_no_colors() {
    assert_eq!(inside("brainfuck", "fn \"a\" 1 # c"), "fn &quot;a&quot; 1 # c");
}

#[test]
fn a_color_goes_on_over_white_space() {
    check("rust", &[("pub  fn\n// a\n// b\n", "k[pub  fn]\nc[// a\n// b]\n")]);
}

#[test]
fn rust() {
    check(
        "rust",
        &[
            (
                "pub fn main<'a>(x: &'a str) -> u8 { x.len() as u8 }",
                "k[pub fn] f[main]<'a>(x: &'a k[str]) -> k[u8] { x.f[len]() k[as u8] }",
            ),
            (
                "let c = 'x'; let d = '\\''; let e: &'static str;",
                "k[let] c = s['x']; k[let] d = s['\\'']; k[let] e: &'static k[str];",
            ),
            (
                "r#\"a\"b\"# r\"\\\" br##\"\"#\"## b'a' \"x\\\"y\nz\"",
                "s[r#\"a\"b\"# r\"\\\" br##\"\"#\"## b'a' \"x\\\"y\nz\"]",
            ),
            ("/* a /* b */ c */ 1 // x", "c[/* a /* b */ c */] n[1] c[// x]"),
            (
                "println!(\"{}\", 1.5e-3_f64); a != b; 0..10; 1.max(2)",
                "f[println!](s[\"{}\"], n[1.5e-3_f64]); a != b; n[0]..n[10]; n[1].f[max](n[2])",
            ),
            ("x.await.r#type 'ß' '日' '", "x.await.r#k[type] s['ß' '日'] '"),
            ("/* never ends /* ", "c[/* never ends /* ]"),
            ("\"never ends", "s[\"never ends]"),
        ],
    );
}

#[test]
fn javascript() {
    check(
        "js",
        &[
            ("const f = `a ${b(`${1}`)} c`; // d", "k[const] f = s[`a ${]f[b](s[`${]n[1]s[}`])s[} c`]; c[// d]"),
            ("`never ${ends", "s[`never ${]ends"),
            (
                "x = a / b / c; y = /[/\"]\\/'/g.test(s); return /x/",
                "x = a / b / c; y = s[/[/\"]\\/'/g].f[test](s); k[return] s[/x/]",
            ),
            ("'a\nb' <p>Don't</p>\nvar x", "s['a]\nbs[' <p>Don']t</p>\nk[var] x"),
            ("a.default $x.in", "a.default $x.in"),
        ],
    );
    check("tsx", &[("interface A { readonly b: string }", "k[interface] A { k[readonly] b: k[string] }")]);
}

#[test]
fn python() {
    check(
        "python",
        &[
            (
                "@app.route(\"/\")\nasync def f(x=None):  # c\n    \"\"\"a\n    \"b\" '''\"\"\"\n    return rb'\\'' + 0x1F",
                "f[@app.route](s[\"/\"])\nk[async def] f[f](x=k[None]):  c[# c]\n    s[\"\"\"a\n    \"b\" '''\"\"\"]\n    k[return] s[rb'\\''] + n[0x1F]",
            ),
            ("'''never\nends", "s['''never\nends]"),
            ("'line\nprint(1)", "s['line]\nf[print](n[1])"),
        ],
    );
}

#[test]
fn languages_like_c() {
    check(
        "c",
        &[(
            "#include <stdio.h>\n  #define X 1\nint a = sizeof(x) # b",
            "k[#include] <stdio.h>\n  k[#define] X n[1]\nk[int] a = k[sizeof](x) # b",
        )],
    );
    check(
        "cpp",
        &[("auto s = R\"x(a)\")x\"; 1'000; L'a' // b", "k[auto] s = s[R\"x(a)\")x\"]; n[1'000]; s[L'a'] c[// b]")],
    );
    check("cs", &[("var s = @\"\\\"; $\"a{b(1)}c\"; 'x'", "k[var] s = s[@\"\\\"]; s[$\"a{]f[b](n[1])s[}c\"]; s['x']")]);
    check(
        "java",
        &[(
            "@Override public void f() { return \"\"\"\n \"a\" \"\"\"; }",
            "f[@Override] k[public void] f[f]() { k[return] s[\"\"\"\n \"a\" \"\"\"]; }",
        )],
    );
    check(
        "kotlin",
        &[("fun f(x: Int) = \"a ${x.y(\"b\")} c\"", "k[fun] f[f](x: Int) = s[\"a ${]x.f[y](s[\"b\"])s[} c\"]")],
    );
    check(
        "swift",
        &[("let s = \"a \\(b(1)) c\" /* /* */ */", "k[let] s = s[\"a \\(]f[b](n[1])s[) c\"] c[/* /* */ */]")],
    );
    check(
        "go",
        &[("func (s *T) Name() error { return `a\nb` }", "k[func] (s *T) f[Name]() k[error] { k[return] s[`a\nb`] }")],
    );
    check(
        "php",
        &[("<?PHP echo $x->if(1); #[A] # c\n'a\nb'", "<?k[PHP echo] $x->k[if](n[1]); #[A] c[# c]\ns['a\nb']")],
    );
}

#[test]
fn languages_with_end() {
    check(
        "ruby",
        &[
            ("def a? = puts \"x #{b(:c)} y\" # d", "k[def] f[a?] = puts s[\"x #{]f[b](n[:c])s[} y\"] c[# d]"),
            ("A::B x =~ /\"#/", "A::B x =~ s[/\"#/]"),
        ],
    );
    check(
        "elixir",
        &[(
            "@doc \"\"\"\na #{b}\n\"\"\"\ndef run(x), do: :ok",
            "f[@doc] s[\"\"\"\na #{]bs[}\n\"\"\"]\nk[def] f[run](x), k[do]: n[:ok]",
        )],
    );
    check(
        "lua",
        &[("local x = [[a\nb]] --[[ c\n]] -- d\nprint(x)", "k[local] x = s[[[a\nb]]] c[--[[ c\n]] -- d]\nf[print](x)")],
    );
    check(
        "haskell",
        &[(
            "main' :: IO ()\nmain' = f 'x' {- {- -} -} where",
            "f[main'] :: IO ()\nmain' = f s['x'] c[{- {- -} -}] k[where]",
        )],
    );
    check(
        "sql",
        &[(
            "SELECT count(*) FROM a WHERE b = 'it''s' -- c",
            "k[SELECT] f[count](*) k[FROM] a k[WHERE] b = s['it''s'] c[-- c]",
        )],
    );
}

#[test]
fn shells() {
    check(
        "bash",
        &[
            (
                "#!/bin/sh\nset -e # x\nfor f in *.txt; do cat \"$f\" | wc -l; done",
                "c[#!/bin/sh]\nf[set] -e c[# x]\nk[for] f k[in] *.txt; k[do] f[cat] s[\"$f\"] | f[wc] -l; k[done]",
            ),
            ("A=1 B=\"x\" make all && sudo rm -rf /tmp/x#y", "A=1 B=s[\"x\"] f[make] all && f[sudo rm] -rf /tmp/x#y"),
            (
                "echo \"a $(date +%s) b\" ${HOME} $1 'it'\\''s'",
                "f[echo] s[\"a $(]f[date] +%ss[) b\"] n[${HOME} $1] s['it']\\'s['s']",
            ),
            (
                "cat > a <<'END' | tee b\nit's $x\n  END\ngrep x <<< 'y' <<-A\nnever",
                "f[cat] > a <<'END' | f[tee] b\ns[it's $x\n  END\n]f[grep] x <<< s['y'] <<-A\ns[never]",
            ),
            ("docker run \\\n  --rm -p 8080:80 -n 5 done", "f[docker] run \\\n  --rm -p 8080:80 -n n[5] done"),
            ("$ ls -l\ntotal 5\n$ echo \\\n  \"a\"", "c[$ ]f[ls] -l\ntotal 5\nc[$ ]f[echo] \\\n  s[\"a\"]"),
        ],
    );
    check(
        "console",
        &[(
            "ada@host:~$ cat x | sort\nfor 1\n[root@host ~]# id\n> go\nPS C:\\> dir\n$HOME",
            "c[ada@host:~$ ]f[cat] x | f[sort]\nfor 1\nc[[root@host ~]# ]f[id]\nc[> ]f[go]\nc[PS C:\\> ]f[dir]\n$HOME",
        )],
    );
    check(
        "ps1",
        &[(
            "if ($x -eq 1) { Get-Item \"a`\"b\" -Force } # c",
            "k[if] ($x -eq n[1]) { f[Get-Item] s[\"a`\"b\"] -Force } c[# c]",
        )],
    );
}

#[test]
fn data() {
    check(
        "json",
        &[(
            "{\"a\\\"\": [1, -2.5e3, true], \"b\" : \"c\" }",
            "{f[\"a\\\"\"]: [n[1], -n[2.5e3], k[true]], f[\"b\"] : s[\"c\"] }",
        )],
    );
    check(
        "toml",
        &[(
            "[a.b]\n\"x y\" = 'c:\\'\nd-e = 2026-11-30T10:00:00Z # f\n[[t]]\ng = { h = \"\"\"\n\"\"\", i = [1, true] }",
            "k[[a.b]]\nf[\"x y\"] = s['c:\\']\nf[d-e] = n[2026-11-30T10:00:00Z] c[# f]\nk[[[t]]]\nf[g] = { f[h] = s[\"\"\"\n\"\"\"], f[i] = [n[1], k[true]] }",
        )],
    );
    check("ini", &[("; a\n[b c]\nd.e = it's # f\nx=\"y\"", "c[; a]\nk[[b c]]\nf[d.e] = it's c[# f]\nf[x]=s[\"y\"]")]);
    check(
        "yaml",
        &[
            (
                "--- # a\nname: it's \"x\" # b\n\"q\": 'r' \n- key: &a 12\n  two words: !Ref true\n  url: http://a:8/#b\n- 10.0.0.1\n- a: {b: 1, \"c\": [x y, on]}",
                "k[---] c[# a]\nf[name]: it's \"x\" c[# b]\nf[\"q\"]: s['r'] \n- f[key]: k[&a] n[12]\n  f[two words]: k[!Ref true]\n  f[url]: http://a:8/#b\n- n[10.0.0.1]\n- f[a]: {f[b]: n[1], f[\"c\"]: [x y, k[on]]}",
            ),
            (
                "- run: |-\n    echo: 1\n\n    # no\n  name: x\na: > # c\n b\nd: a|b",
                "- f[run]: k[|]-\n    s[echo: 1\n\n    # no]\n  f[name]: x\nf[a]: k[>] # c\n s[b]\nf[d]: a|b",
            ),
        ],
    );
    check(
        "tf",
        &[(
            "resource \"a\" \"b\" {\n  for_each = toset([\"x\"])\n  c = \"${var.d == 1}-e\" # f\n}",
            "k[resource] s[\"a\" \"b\"] {\n  f[for_each] = f[toset]([s[\"x\"]])\n  f[c] = s[\"${]k[var].d == n[1]s[}-e\"] c[# f]\n}",
        )],
    );
}

#[test]
fn documents_and_their_styles() {
    check(
        "html",
        &[
            (
                "<!DOCTYPE html><!-- a --><a href=\"b>c\" d=e @f>x &amp; y</a> 1 < 2",
                "k[<!DOCTYPE html>]c[<!-- a -->]<k[a] f[href]=s[\"b>c\"] f[d]=s[e] f[@f]>x n[&amp;] y</k[a]> 1 < 2",
            ),
            (
                "<script>let x = '<a>';</script><style>a { b: 1px }</style>",
                "<k[script]>k[let] x = s['<a>'];</k[script]><k[style]>a { f[b]: n[1px] }</k[style]>",
            ),
            ("<a b=\"", "<k[a] f[b]=s[\"]"),
            ("<!-- never", "c[<!-- never]"),
        ],
    );
    check(
        "xml",
        &[("<?xml version=\"1.0\"?><a:b/><![CDATA[<c>]]>", "k[<?xml version=\"1.0\"?>]<k[a:b]/>s[<![CDATA[<c>]]>]")],
    );
    check(
        "css",
        &[(
            "@media (min-width: 10rem) { a:hover, #id { color: #fff; margin: -1px calc(1% + 2px) !important; --x: \"y\" } } /* z */",
            "k[@media] (min-width: n[10rem]) { f[a]:hover, #id { f[color]: n[#fff]; f[margin]: -n[1px] f[calc](n[1%] + n[2px]) !k[important]; f[--x]: s[\"y\"] } } c[/* z */]",
        )],
    );
    check("scss", &[("// a\n$b: 1;", "c[// a]\n$b: n[1];")]);
}

#[test]
fn files_of_tools() {
    check(
        "dockerfile",
        &[(
            "# a\nFROM rust:1.90 AS build\nRUN copy \\\n  env \"$X\"\nEXPOSE 8080",
            "c[# a]\nk[FROM] rust:1.90 AS build\nk[RUN] copy \\\n  env s[\"$X\"]\nk[EXPOSE] n[8080]",
        )],
    );
    check(
        "make",
        &[(
            "CC := gcc\n.PHONY: all\nifeq ($(X),1)\nall: $(OBJ) # a\n\tmake: $@ \"b\"\n",
            "f[CC] := gcc\nf[.PHONY]: all\nk[ifeq] (n[$(X)],n[1])\nf[all]: n[$(OBJ)] c[# a]\n\tmake: n[$@] s[\"b\"]\n",
        )],
    );
    check(
        "nginx",
        &[(
            "server {\n  listen 80; # a\n  location ~ \\.php$ { proxy_pass http://$host:8/x; }\n}",
            "k[server] {\n  k[listen] n[80]; c[# a]\n  k[location] ~ \\.php$ { k[proxy_pass] http://n[$host]:n[8]/x; }\n}",
        )],
    );
    check(
        "diff",
        &[(
            "diff --git a b\n--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n\\ No newline",
            "c[diff --git a b\n--- a\n+++ b]\nf[@@ -1 +1 @@]\nk[-old]\ns[+new]\n same\nc[\\ No newline]",
        )],
    );
}

#[test]
fn large_blocks_and_what_is_beyond_a_page_s_pieces_have_no_colors() {
    let line = "let x = 1;\n";
    let most = line.repeat(MAX_COLORED / line.len());
    assert!(inside("rust", &most).contains("<span"));
    let more = line.repeat(MAX_COLORED / line.len() + 1);
    assert_eq!(inside("rust", &more), more);

    let (mut out, mut pieces) = (String::new(), 5);
    for _ in 0..3 {
        write(&mut out, Some("rust"), line, &mut pieces);
    }
    assert_eq!((out.matches("<span").count(), out.matches("</span>").count(), pieces), (5, 5, 0));
}

/// What is said of any block: nothing but spans is added, each has a class and none is in another.
fn check_text(language: &str, code: &str) {
    let mut html = inside(language, code);
    let mut count = 0;
    let mut rest = html.as_str();
    while let Some((before, after)) = rest.split_once("<span class=\"") {
        assert!(!before.contains("<"), "{language}: {html}");
        let (piece, after) = after.split_once("</span>").expect("a span ends");
        assert!(
            matches!(piece.as_bytes(), [b'k' | b's' | b'n' | b'c' | b'f', b'"', b'>', _, ..]),
            "{language}: {html}"
        );
        assert!(!piece[3..].contains('<'), "{language}: {html}");
        (rest, count) = (after, count + 1);
    }
    for tag in ["k", "s", "n", "c", "f"].map(|class| format!("<span class=\"{class}\">")) {
        html = html.replace(&tag, "");
    }
    assert_eq!(html.replace("</span>", ""), escape::escape(code), "{language}");
    assert!(count <= code.len(), "{language}");
}

/// What means something in one language or another.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "`",
    "\\",
    "\n",
    " ",
    "\t",
    "\r",
    "//",
    "/*",
    "*/",
    "#",
    "--",
    "--[[",
    "]]",
    "{-",
    "-}",
    "<!--",
    "-->",
    "<",
    ">",
    "/",
    "</",
    "<a ",
    "<script>",
    "</script>",
    "<style>",
    "=",
    "==",
    ":",
    "::",
    ": ",
    ",",
    ";",
    ".",
    "..",
    "!",
    "?",
    "@",
    "@a",
    "$",
    "${",
    "$(",
    "#{",
    "\\(",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "r#\"",
    "\"#",
    "R\"x(",
    ")x\"",
    "'''",
    "\"\"\"",
    "0",
    "0x",
    "1.",
    "e-5",
    "fn ",
    "def ",
    "in",
    "if",
    "a",
    "A=",
    "x(",
    "- ",
    "---",
    "|\n",
    "> ",
    "&",
    "&amp;",
    "*",
    "~",
    "%",
    "+",
    "@@",
    "ß",
    "日本",
    "👩‍🍳",
    "\u{fffd}",
    "\0",
    "$ ",
    "a@b:~$ ",
    "PS C:\\> ",
    "'a'",
    "'\\",
    "-",
    "_",
    "\u{a0}",
    "\u{301}",
];

proptest! {
    #[test]
    fn any_text_gets_nothing_but_colors(code in any::<String>()) {
        for language in LANGUAGES {
            check_text(language.name, &code);
        }
    }

    #[test]
    fn any_code_gets_nothing_but_colors(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        let code = pieces.concat();
        for language in LANGUAGES {
            check_text(language.name, &code);
        }
    }
}

#[test]
fn names_of_languages_are_aliases_and_documented() {
    let (_, section) = include_str!("../../../docs/MARKDOWN.md").split_once("## Code\n").expect("there is a section");
    let listed = section.split(&['\n', ',', '.']).map(str::trim);
    for language in LANGUAGES {
        assert!(listed.clone().any(|listed| listed == language.name), "{} is not listed", language.name);
        assert!(languages::find(language.name).is_some_and(|found| found.name == language.name), "{}", language.name);
    }
}

/// As for pages: what is quadratic takes far longer than the limit, which is far more than it takes.
const SIZE: usize = 256 << 10;
const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn time_and_space_are_in_proportion() {
    let languages = ["rust", "cpp", "js", "haskell", "sh", "console", "css", "toml", "yaml", "html"];
    let units = [
        "\"", "'", "\\", "\"${", "`${", "#{\"", "/*", "{-", "#", "= /[", "r#", "r#\"", "R\"", "R\"x(", "a ", "1 ",
        "a:1,", "- ", "[{", "<a ", "<", "<!--", "<script>", "<a b=\"", "&", "a@", "$", "\n", "|\n", " ", "a\n  b: ",
        "\n#",
    ];
    for language in languages {
        let found = languages::find(language).expect(language);
        for unit in units {
            let code = unit.repeat(SIZE / unit.len());
            let (mut out, start) = (String::new(), Instant::now());
            color(&mut out, found, &code, &mut MAX_PIECES.clone());
            assert!(start.elapsed() < LIMIT, "{language}: {unit:?} took {:?}", start.elapsed());
            assert!(out.len() <= 6 * code.len() + 30 * MAX_PIECES, "{language}: {unit:?}");
        }
    }
}
