//! A directory that only this user may enter: what lies in it is trusted.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

/// Makes a directory and those above it, for this user alone. One that is there
/// stays as it is.
pub(super) fn make(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// That a directory is this user's and that no other may enter it, and that no
/// other may put another in its place in `parent`.
///
/// # Errors
/// What is wrong with it, with the remedy.
#[cfg(unix)]
pub(super) fn check(parent: &Path, directory: &Path) -> Result<(), String> {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    /// Write access for the group and for all.
    const OTHERS_WRITE: u32 = 0o022;
    /// What lies in the directory may only be taken away by who owns it.
    const STICKY: u32 = 0o1000;
    /// All access of the group and of all.
    const OTHERS: u32 = 0o077;

    let unreadable = |error: io::Error| format!("it cannot be looked at: {error}");
    let mode = fs::metadata(parent).map_err(unreadable)?.mode();
    if mode & OTHERS_WRITE != 0 && mode & STICKY == 0 {
        return Err(format!(
            "other users may write to {}, and what is found in a compile cache is run; name a \
             directory inside it",
            parent.display()
        ));
    }
    let found = fs::symlink_metadata(directory).map_err(unreadable)?;
    if !found.is_dir() || found.mode() & OTHERS != 0 {
        return Err(
            "other users may enter it, and what is found in it is run; remove it, and it is \
                    made anew"
                .to_owned(),
        );
    }
    let own = owner_of_new_files(directory)
        .map_err(|error| format!("it cannot be written to: {error}"))?;
    if found.uid() != own {
        return Err(
            "it belongs to another user, and what is found in it is run; name a directory of \
             your own"
                .to_owned(),
        );
    }
    Ok(())
}

/// Whom a file belongs to that this process makes.
#[cfg(unix)]
fn owner_of_new_files(directory: &Path) -> io::Result<u32> {
    use std::fs::{self, File};
    use std::os::unix::fs::MetadataExt as _;

    let probe = directory.join("probe");
    // Other processes may be looking too; each asks the file that it made.
    for _ in 0..100 {
        match File::create_new(&probe) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_file(&probe).ok();
            }
            made => {
                let owner = made?.metadata()?.uid();
                fs::remove_file(&probe).ok();
                return Ok(owner);
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(not(unix))]
pub(super) fn check(_: &Path, _: &Path) -> Result<(), String> {
    Ok(())
}
