//! The program `wiki-runner`. Everything is in the library, which the tests use, too.

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    wiki_runner::main()
}
