//! The languages: their names, and what the lexer knows of each.

/// A language.
pub struct Language {
    /// Its name for readers.
    pub name: &'static str,
    /// What authors call it, in lower case, with spaces between.
    pub aliases: &'static str,
    /// How it is read.
    pub syntax: Syntax,
}

/// How a language is read.
#[derive(Clone, Copy)]
pub enum Syntax {
    /// As words, strings and comments.
    Code(&'static Rules),
    /// As a shell or, if it has prompts, as a console.
    Shell,
    /// As commands after prompts, and what they print.
    Console,
    /// As lines that were added and removed.
    Diff,
    /// As lines of keys and values.
    Yaml,
    /// As tags with attributes.
    Markup,
}

/// What a language of words, strings and comments has.
pub struct Rules {
    /// In order, with spaces between; in lower case if case is ignored.
    pub keywords: &'static str,
    pub ignores_case: bool,
    /// What begins a comment to the end of the line.
    pub lines: &'static [&'static str],
    /// Whether such a comment begins only after white space.
    pub comments_apart: bool,
    /// What comments of several lines begin and end with.
    pub blocks: &'static [(&'static str, &'static str)],
    /// Whether they may have each other in them.
    pub blocks_nest: bool,
    /// The longer before those they begin with.
    pub quotes: &'static [Quote],
    /// Words that belong to the string that follows, with spaces between.
    pub prefixes: &'static str,
    pub raw: Raw,
    /// What words have beside letters, digits and `_`.
    pub in_words: &'static [u8],
    /// What comes between a key and its value.
    pub key: Option<u8>,
    /// What a statement begins with.
    pub begin: Begin,
    /// What comes before a statement.
    pub separators: &'static [u8],
    /// `name(`
    pub has_calls: bool,
    /// `name!`
    pub has_macros: bool,
    /// `Verb-Noun`
    pub has_cmdlets: bool,
    /// `name ::`, at the start of a line
    pub has_signatures: bool,
    /// `'c'`, where a `'` may be something else
    pub has_characters: bool,
    /// `/…/`
    pub has_regexes: bool,
    /// `@name`
    pub has_annotations: bool,
    /// `#[…]`, where `#` begins a comment
    pub has_attributes: bool,
    /// `#name`, at the start of a line
    pub has_directives: bool,
    /// `:name`
    pub has_symbols: bool,
    /// `$name`
    pub has_variables: bool,
}

/// What a statement begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// Nothing that tells.
    Anything,
    /// A command, of a shell.
    Command,
    /// A word that says what is done, whichever it is.
    Directive,
    /// A word that says what is done, if it is a keyword.
    Instruction,
    /// In braces, a property.
    Property,
    /// The name of what is made.
    Target,
    /// A key, or the name of a section in brackets.
    Key,
}

/// The strings in which nothing has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raw {
    None,
    /// `r#"…"#`
    Rust,
    /// `R"x(…)x"`
    Cpp,
}

/// A kind of string.
pub struct Quote {
    pub open: &'static str,
    pub close: &'static str,
    /// What takes its meaning from the character that follows.
    pub escape: Option<u8>,
    /// Whether it may have several lines.
    pub has_lines: bool,
    /// What begins an expression in it, with the bracket that the expression ends with.
    pub expression: &'static str,
}

impl Quote {
    /// The brackets around an expression in it.
    pub fn brackets(&self) -> (u8, u8) {
        if self.expression.ends_with('(') { (b'(', b')') } else { (b'{', b'}') }
    }

    const fn within(self, has_lines: bool) -> Self {
        Self { has_lines, ..self }
    }

    const fn plain(self) -> Self {
        Self { escape: None, ..self }
    }

    const fn with(self, expression: &'static str) -> Self {
        Self { expression, ..self }
    }
}

/// A string that ends with its line and in which `\` escapes.
const fn quote(open: &'static str, close: &'static str) -> Quote {
    Quote { open, close, escape: Some(b'\\'), has_lines: false, expression: "" }
}

/// The same of several lines.
const fn block(open: &'static str, close: &'static str) -> Quote {
    quote(open, close).within(true)
}

const DOUBLE: Quote = quote("\"", "\"");
const SINGLE: Quote = quote("'", "'");
const LONG: Quote = block("\"\"\"", "\"\"\"");

/// The language with this name.
pub fn find(name: &str) -> Option<&'static Language> {
    let is = |alias: &str| alias.eq_ignore_ascii_case(name);
    LANGUAGES.iter().find(|language| language.aliases.split(' ').any(is))
}

const fn language(name: &'static str, aliases: &'static str, syntax: Syntax) -> Language {
    Language { name, aliases, syntax }
}

/// All languages.
pub static LANGUAGES: &[Language] = &[
    language("C", "c h", Syntax::Code(&C)),
    language("C++", "c++ cpp cxx cc hpp hxx", Syntax::Code(&CPP)),
    language("C#", "c# csharp cs", Syntax::Code(&CSHARP)),
    language("CSS", "css", Syntax::Code(&CSS)),
    language("SCSS", "scss sass", Syntax::Code(&SCSS)),
    language("Less", "less", Syntax::Code(&SCSS)),
    language("Diff", "diff patch udiff", Syntax::Diff),
    language("Dockerfile", "dockerfile docker containerfile", Syntax::Code(&DOCKERFILE)),
    language("Elixir", "elixir ex exs", Syntax::Code(&ELIXIR)),
    language("Go", "go golang", Syntax::Code(&GO)),
    language("Haskell", "haskell hs", Syntax::Code(&HASKELL)),
    language("HCL", "hcl", Syntax::Code(&HCL)),
    language("Terraform", "terraform tf tfvars", Syntax::Code(&HCL)),
    language("HTML", "html htm xhtml vue svelte", Syntax::Markup),
    language("XML", "xml svg xsd xsl xslt rss atom plist", Syntax::Markup),
    language(
        "INI",
        "ini cfg conf properties env dotenv editorconfig gitconfig systemd service desktop",
        Syntax::Code(&INI),
    ),
    language("Java", "java", Syntax::Code(&JAVA)),
    language("JavaScript", "javascript js mjs cjs node", Syntax::Code(&JAVASCRIPT)),
    language("JSX", "jsx", Syntax::Code(&JAVASCRIPT)),
    language("JSON", "json jsonc json5 jsonl ndjson geojson", Syntax::Code(&JSON)),
    language("Kotlin", "kotlin kt kts", Syntax::Code(&KOTLIN)),
    language("Lua", "lua", Syntax::Code(&LUA)),
    language("Makefile", "makefile make mk gnumake", Syntax::Code(&MAKEFILE)),
    language("nginx", "nginx nginxconf", Syntax::Code(&NGINX)),
    language("PHP", "php", Syntax::Code(&PHP)),
    language("PowerShell", "powershell pwsh ps1 psm1 posh", Syntax::Code(&POWERSHELL)),
    language("Python", "python py python3 py3 pyi", Syntax::Code(&PYTHON)),
    language("Ruby", "ruby rb gemfile rakefile", Syntax::Code(&RUBY)),
    language("Rust", "rust rs", Syntax::Code(&RUST)),
    language("Shell", "shell sh bash zsh ksh ash dash fish", Syntax::Shell),
    language("Console", "console shell-session shellsession sh-session bash-session terminal", Syntax::Console),
    language("SQL", "sql postgresql postgres psql plpgsql pgsql mysql mariadb sqlite sqlite3 tsql", Syntax::Code(&SQL)),
    language("Swift", "swift", Syntax::Code(&SWIFT)),
    language("TOML", "toml", Syntax::Code(&TOML)),
    language("TypeScript", "typescript ts mts cts", Syntax::Code(&TYPESCRIPT)),
    language("TSX", "tsx", Syntax::Code(&TYPESCRIPT)),
    language("YAML", "yaml yml", Syntax::Yaml),
];

/// What most languages have in common.
const COMMON: Rules = Rules {
    keywords: "",
    ignores_case: false,
    lines: &[],
    comments_apart: false,
    blocks: &[],
    blocks_nest: false,
    quotes: &[DOUBLE, SINGLE],
    prefixes: "",
    raw: Raw::None,
    in_words: b"",
    key: None,
    begin: Begin::Anything,
    separators: b"",
    has_calls: true,
    has_macros: false,
    has_cmdlets: false,
    has_signatures: false,
    has_characters: false,
    has_regexes: false,
    has_annotations: false,
    has_attributes: false,
    has_directives: false,
    has_symbols: false,
    has_variables: false,
};

/// What those have in common that are like C.
const BRACES: Rules = Rules { lines: &["//"], blocks: &[("/*", "*/")], ..COMMON };

static RUST: Rules = Rules {
    keywords: "Self as async await bool break char const continue crate dyn else enum extern f32 f64 false fn for i128 i16 \
               i32 i64 i8 if impl in isize let loop match mod move mut pub ref return self static str struct super trait \
               true type u128 u16 u32 u64 u8 union unsafe use usize where while yield",
    blocks_nest: true,
    quotes: &[block("\"", "\"")],
    prefixes: "b c",
    raw: Raw::Rust,
    has_macros: true,
    has_characters: true,
    ..BRACES
};

static C: Rules = Rules {
    keywords: "_Alignas _Alignof _Atomic _Bool _Generic _Noreturn _Static_assert _Thread_local alignas alignof auto bool \
               break case char const constexpr continue default do double else enum extern false float for goto if inline \
               int int16_t int32_t int64_t int8_t long nullptr register restrict return short signed size_t sizeof static \
               static_assert struct switch true typedef typeof uint16_t uint32_t uint64_t uint8_t union unsigned void \
               volatile while",
    prefixes: "L U u u8",
    has_directives: true,
    ..BRACES
};

static CPP: Rules = Rules {
    keywords: "alignas alignof and auto bool break case catch char char16_t char32_t char8_t class co_await co_return \
               co_yield concept const const_cast consteval constexpr constinit continue decltype default delete do double \
               dynamic_cast else enum explicit export extern false final float for friend goto if import inline int \
               int16_t int32_t int64_t int8_t long module mutable namespace new noexcept not nullptr operator or override \
               private protected public register reinterpret_cast requires return short signed size_t sizeof static \
               static_assert static_cast struct switch template this thread_local throw true try typedef typeid typename \
               uint16_t uint32_t uint64_t uint8_t union unsigned using virtual void volatile wchar_t while",
    raw: Raw::Cpp,
    ..C
};

static CSHARP: Rules = Rules {
    keywords: "abstract as async await base bool break byte case catch char checked class const continue decimal default \
               delegate do double dynamic else enum event explicit extern false finally fixed float for foreach get goto \
               if implicit in init int interface internal is lock long namespace new null object operator out override \
               params partial private protected public readonly record ref required return sbyte sealed set short sizeof \
               stackalloc static string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using \
               var virtual void volatile when where while with yield",
    quotes: &[
        LONG.plain(),
        block("$@\"", "\"").plain().with("{"),
        block("@$\"", "\"").plain().with("{"),
        block("@\"", "\"").plain(),
        quote("$\"", "\"").with("{"),
        DOUBLE,
        SINGLE,
    ],
    has_directives: true,
    ..BRACES
};

static JAVA: Rules = Rules {
    keywords: "abstract assert boolean break byte case catch char class const continue default do double else enum exports \
               extends false final finally float for goto if implements import instanceof int interface long module native \
               new null package permits private protected public record requires return sealed short static \
               strictfp super switch synchronized this throw throws transient true try var void volatile while yield",
    quotes: &[LONG, DOUBLE, SINGLE],
    has_annotations: true,
    ..BRACES
};

static KOTLIN: Rules = Rules {
    keywords: "abstract actual annotation as break by catch class companion const constructor continue crossinline data do \
               else enum expect external false final finally for fun get if import in infix init inline inner interface \
               internal is lateinit noinline null object open operator out override package private protected public \
               reified return sealed set super suspend tailrec this throw true try typealias val value var vararg when \
               where while",
    blocks_nest: true,
    quotes: &[LONG.plain().with("${"), DOUBLE.with("${"), SINGLE],
    has_annotations: true,
    ..BRACES
};

static SWIFT: Rules = Rules {
    keywords: "Any Self actor as associatedtype async await break case catch class continue convenience default defer \
               deinit didSet do dynamic else enum extension fallthrough false fileprivate final for func get guard if \
               import in indirect init inout internal is isolated lazy let mutating nil nonisolated open operator \
               optional override precedencegroup private protocol public repeat required rethrows return self set some \
               static struct subscript super switch throw throws true try typealias unowned var weak where while willSet",
    blocks_nest: true,
    quotes: &[block("#\"", "\"#").plain(), LONG.with("\\("), DOUBLE.with("\\(")],
    has_annotations: true,
    has_directives: true,
    ..BRACES
};

static GO: Rules = Rules {
    keywords: "any bool break byte case chan comparable complex128 complex64 const continue default defer else error \
               fallthrough false float32 float64 for func go goto if import int int16 int32 int64 int8 interface iota map \
               nil package range return rune select string struct switch true type uint uint16 uint32 uint64 uint8 \
               uintptr var",
    quotes: &[block("`", "`").plain(), DOUBLE, SINGLE],
    ..BRACES
};

static JAVASCRIPT: Rules = Rules {
    keywords: "as async await break case catch class const continue debugger default delete do else export extends false \
               finally for from function get if import in instanceof let new null of return set static super switch this \
               throw true try typeof undefined var void while with yield",
    quotes: &[DOUBLE, SINGLE, block("`", "`").with("${")],
    in_words: b"$",
    has_regexes: true,
    has_annotations: true,
    ..BRACES
};

static TYPESCRIPT: Rules = Rules {
    keywords: "abstract any as asserts async await bigint boolean break case catch class const continue debugger declare \
               default delete do else enum export extends false finally for from function get if implements import in \
               infer instanceof interface is keyof let namespace never new null number object of override private \
               protected public readonly return satisfies set static string super switch symbol this throw true try type \
               typeof undefined unique unknown var void while with yield",
    ..JAVASCRIPT
};

static PYTHON: Rules = Rules {
    keywords: "False None True and as assert async await break class continue def del elif else except finally for from \
               global if import in is lambda nonlocal not or pass raise return self try while with yield",
    lines: &["#"],
    quotes: &[LONG, block("'''", "'''"), DOUBLE, SINGLE],
    prefixes: "B BR Br F FR Fr R RB Rb T U b bR br f fR fr r rB rb t u",
    has_annotations: true,
    ..COMMON
};

static RUBY: Rules = Rules {
    keywords: "__FILE__ alias and attr_accessor attr_reader attr_writer begin break case class def defined? do else elsif end \
               ensure extend false for if in include loop module next nil not or private protected public raise redo \
               require require_relative rescue retry return self super then true undef unless until when while yield",
    lines: &["#"],
    quotes: &[DOUBLE.with("#{"), SINGLE, quote("`", "`").with("#{")],
    in_words: b"?!",
    has_regexes: true,
    has_symbols: true,
    ..COMMON
};

static ELIXIR: Rules = Rules {
    keywords: "after alias and case catch cond def defdelegate defexception defguard defimpl defmacro defmodule defp \
               defprotocol defstruct do else end false fn for if import in nil not or quote raise receive require rescue \
               true try unless unquote use when with",
    lines: &["#"],
    quotes: &[LONG.with("#{"), block("'''", "'''"), DOUBLE.with("#{"), SINGLE],
    in_words: b"?!",
    has_annotations: true,
    has_symbols: true,
    ..COMMON
};

static PHP: Rules = Rules {
    keywords: "abstract and array as bool break callable case catch class clone const continue declare default do echo else \
               elseif empty enum extends false final finally float fn for foreach function global goto if implements \
               include include_once instanceof insteadof int interface isset iterable list match mixed namespace never new \
               null object or parent php print private protected public readonly require require_once return self static \
               string switch this throw trait true try unset use var void while xor yield",
    ignores_case: true,
    lines: &["//", "#"],
    quotes: &[block("\"", "\""), block("'", "'")],
    in_words: b"$",
    has_attributes: true,
    ..BRACES
};

static LUA: Rules = Rules {
    keywords: "and break do else elseif end false for function goto if in local nil not or repeat return self then true until \
               while",
    lines: &["--"],
    blocks: &[("--[[", "]]")],
    quotes: &[block("[[", "]]").plain(), DOUBLE, SINGLE],
    ..COMMON
};

static HASKELL: Rules = Rules {
    keywords: "as case class data default deriving do else family forall foreign hiding if import in infix infixl infixr \
               instance let module newtype of qualified then type where",
    lines: &["--"],
    blocks: &[("{-", "-}")],
    blocks_nest: true,
    quotes: &[DOUBLE],
    in_words: b"'",
    has_calls: false,
    has_signatures: true,
    has_characters: true,
    ..COMMON
};

/// Of a shell.
pub static SHELL: Rules = Rules {
    keywords: "case do done elif else esac fi for function if in select then time until while",
    lines: &["#"],
    comments_apart: true,
    quotes: &[block("\"", "\"").with("$("), block("'", "'").plain()],
    in_words: b"-./~+=:@%,*?",
    begin: Begin::Command,
    separators: b"\n;|&(`",
    has_variables: true,
    ..COMMON
};

static POWERSHELL: Rules = Rules {
    keywords: "begin break catch class continue data do dynamicparam else elseif end enum exit filter finally for foreach \
               function if in param process return switch throw trap try until using while",
    ignores_case: true,
    lines: &["#"],
    comments_apart: true,
    blocks: &[("<#", "#>")],
    quotes: &[
        block("@\"", "\"@").plain(),
        block("@'", "'@").plain(),
        Quote { escape: Some(b'`'), ..block("\"", "\"") }.with("$("),
        block("'", "'").plain(),
    ],
    in_words: b"-$",
    has_cmdlets: true,
    ..COMMON
};

static SQL: Rules = Rules {
    keywords: "add all alter analyze and any array as asc begin between bigint bigserial boolean by bytea cascade case cast \
               char check collate column commit concurrently conflict constraint create cross current date deallocate \
               declare default deferrable delete desc distinct do double drop else end enum except execute exists explain \
               extension false fetch filter first for foreign from full function grant group having if ilike immutable in \
               index inner insert instead int integer intersect interval into is isolation join json jsonb key language \
               last lateral left level like limit listen lock loop materialized merge natural no not nothing notify null \
               nulls numeric of offset on only or order outer over partition policy prepare primary procedure references \
               refresh rename replace restrict return returning returns revoke right role rollback row rows schema select \
               sequence serial set smallint stable table temp temporary text then time timestamp timestamptz to \
               transaction trigger true truncate type union unique update using uuid vacuum values varchar view volatile \
               when where window with work zone",
    ignores_case: true,
    lines: &["--"],
    blocks: &[("/*", "*/")],
    blocks_nest: true,
    quotes: &[block("'", "'").plain(), quote("\"", "\"").plain()],
    ..COMMON
};

static JSON: Rules = Rules { keywords: "false null true", key: Some(b':'), ..BRACES };

static TOML: Rules = Rules {
    keywords: "false inf nan true",
    lines: &["#"],
    quotes: &[LONG, block("'''", "'''").plain(), DOUBLE, SINGLE.plain()],
    in_words: b"-.",
    key: Some(b'='),
    begin: Begin::Key,
    ..COMMON
};

static INI: Rules = Rules {
    keywords: "false no off on true yes",
    ignores_case: true,
    lines: &["#", ";"],
    comments_apart: true,
    quotes: &[DOUBLE],
    in_words: b"-.",
    has_calls: false,
    ..TOML
};

static HCL: Rules = Rules {
    keywords: "backend check count data default dynamic each else endfor endif false for for_each if import in lifecycle local \
               locals module moved null output provider provisioner removed required_providers resource self terraform true \
               var variable",
    lines: &["#", "//"],
    blocks: &[("/*", "*/")],
    quotes: &[DOUBLE.with("${")],
    in_words: b"-",
    key: Some(b'='),
    ..COMMON
};

static CSS: Rules = Rules {
    keywords: "important",
    blocks: &[("/*", "*/")],
    in_words: b"-",
    begin: Begin::Property,
    separators: b";{}",
    has_annotations: true,
    ..COMMON
};

static SCSS: Rules = Rules { lines: &["//"], in_words: b"-$", ..CSS };

static DOCKERFILE: Rules = Rules {
    keywords: "add arg cmd copy entrypoint env expose from healthcheck label maintainer onbuild run shell stopsignal user volume \
               workdir",
    ignores_case: true,
    lines: &["#"],
    comments_apart: true,
    in_words: b"-./:=@~",
    begin: Begin::Instruction,
    separators: b"\n",
    has_variables: true,
    ..COMMON
};

static MAKEFILE: Rules = Rules {
    keywords: "-include define else endef endif export ifdef ifeq ifndef ifneq include override undefine unexport",
    lines: &["#"],
    comments_apart: true,
    in_words: b"-./",
    begin: Begin::Target,
    separators: b"\n",
    has_variables: true,
    ..COMMON
};

static NGINX: Rules = Rules {
    lines: &["#"],
    comments_apart: true,
    in_words: b"-./:*",
    begin: Begin::Directive,
    separators: b";{}",
    has_variables: true,
    ..COMMON
};
