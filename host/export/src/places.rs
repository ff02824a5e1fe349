//! Checks the places of files before anything is created there.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Checks that a directory exists or can be created: its nearest existing ancestor is a directory.
pub(crate) fn can_be_directory(path: &Path) -> io::Result<()> {
    for ancestor in path.ancestors().filter(|path| *path != Path::new("")) {
        match fs::metadata(ancestor) {
            Ok(found) if found.is_dir() => return Ok(()),
            Ok(_) => return Err(not_a_directory(ancestor)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // An ancestor that is a file; the system's message does not name it.
            Err(error) if error.kind() == ErrorKind::NotADirectory => {}
            Err(error) => return Err(error),
        }
    }
    // A relative path below the working directory.
    Ok(())
}

/// Checks that a file can be appended to, or created. An existing file keeps its bytes and times.
pub(crate) fn can_be_appended(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(io::Error::from(ErrorKind::IsADirectory)),
        // Opening a pipe or a device could block.
        Ok(found) if !found.is_file() => Ok(()),
        Ok(_) => OpenOptions::new().append(true).open(path).map(drop),
        Err(error) if error.kind() == ErrorKind::NotFound => directory_of(path),
        Err(error) => Err(error),
    }
}

/// Checks that the directory of a new file exists.
fn directory_of(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    let directory = parent.unwrap_or(Path::new("."));
    if path.file_name().is_none() {
        return Err(io::Error::from(ErrorKind::InvalidInput));
    }
    if fs::metadata(directory)?.is_dir() {
        Ok(())
    } else {
        Err(not_a_directory(directory))
    }
}

fn not_a_directory(path: &Path) -> io::Error {
    let message = format!("{path:?} is not a directory");
    io::Error::new(ErrorKind::NotADirectory, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_accepts_usable_places_and_creates_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "text").unwrap();
        for (name, usable) in [
            ("", true),
            ("a/b/c", true),
            ("file", false),
            ("file/a", false),
        ] {
            assert_eq!(can_be_directory(&path(name)).is_ok(), usable, "{name}");
        }
        for (name, usable) in [
            ("file", true),
            ("new", true),
            ("", false),
            ("missing/new", false),
            ("file/new", false),
        ] {
            assert_eq!(can_be_appended(&path(name)).is_ok(), usable, "{name}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read(path("file")).unwrap(), b"text");
    }
}
