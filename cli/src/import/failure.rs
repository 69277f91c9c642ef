//! Why a file was not imported.

use std::fmt;
use std::path::PathBuf;

/// What is wrong with a file.
#[derive(Debug, PartialEq, Eq)]
pub struct FileError {
    /// The line, from 1, if the error has one.
    pub line: Option<usize>,
    pub message: String,
}

impl FileError {
    pub fn new(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }

    pub fn at(line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), message: message.into() }
    }
}

/// A file that was not imported.
#[derive(Debug)]
pub struct Failure {
    /// The path below the imported directory.
    pub file: PathBuf,
    pub error: FileError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.error.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.error.message)
    }
}
