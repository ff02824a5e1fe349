//! Permissions of a directory that only this user may enter, because its contents are trusted.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

/// Creates a directory and its parents for this user only. An existing directory is not changed.
pub(super) fn make(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Checks that a directory belongs to this user, that no other user may enter it, and that no other
/// user can replace it in `parent`.
///
/// # Errors
/// Returns the problem and its remedy.
#[cfg(unix)]
pub(super) fn check(parent: &Path, directory: &Path) -> Result<(), String> {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    /// Write access for the group and for others.
    const OTHERS_WRITE: u32 = 0o022;
    /// Only the owner may delete a file of the directory.
    const STICKY: u32 = 0o1000;
    /// All access for the group and for others.
    const OTHERS: u32 = 0o077;
    const ROOT: u32 = 0;

    let unreadable = |error: io::Error| format!("failed to inspect it: {error}");
    // Follows a link: its target must be as safe as a directory in its place.
    let holder = fs::metadata(parent).map_err(unreadable)?;
    let mode = holder.mode();
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
    // The owner of a directory can replace its contents regardless of its mode.
    if holder.uid() != own && holder.uid() != ROOT {
        return Err(format!(
            "{} belongs to another user, who may replace it, and what is found in a compile cache \
             is run; name a directory of your own",
            parent.display()
        ));
    }
    Ok(())
}

/// Returns the owner of files that this process creates.
#[cfg(unix)]
fn owner_of_new_files(directory: &Path) -> io::Result<u32> {
    use std::fs::{self, File};
    use std::os::unix::fs::MetadataExt as _;

    let probe = directory.join("probe");
    // Other processes may check at the same time. Each inspects the file that it created.
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
