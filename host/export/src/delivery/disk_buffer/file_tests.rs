//! Tests for files that are damaged, foreign, or of a special kind.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::tests::{Backend, Rig, files, request, temporary};
use super::{DiskBufferStore, file};
use crate::delivery::Loss;

#[test]
fn clock_of_the_system_does_not_expire_files() {
    let day = Duration::from_secs(24 * 60 * 60);
    for clock in [
        std::time::SystemTime::UNIX_EPOCH,
        std::time::SystemTime::now() + day * 365 * 20,
        std::time::SystemTime::now() - day * 2,
    ] {
        let (_dir, disk_buffer) = temporary();
        fs::create_dir_all(&disk_buffer.directory).unwrap();
        let request = prost::Message::encode_to_vec(&request(&["a"]));
        let path = disk_buffer.directory.join(format!("{:020}.spill", 7));
        fs::write(path, file::encode(&request, 1, clock)).unwrap();
        let rig = Rig::new(&Backend::new(), &disk_buffer);
        assert_eq!((rig.counts().buffered, rig.counts().lost()), (1, 0));
        rig.idle();
        assert_eq!(rig.backend.took(), ["a"]);
    }
}

#[test]
fn damaged_and_foreign_files_are_set_aside_and_counted() {
    type Damage = fn(&mut Vec<u8>);
    // The damage, and the number of spans that can still be counted.
    let rows: [(&str, Damage, u64); 9] = [
        ("a changed bit", |file| *file.last_mut().unwrap() ^= 1, 3),
        ("a changed count", |file| file[8] ^= 1, 3),
        ("a huge count", |file| file[8..16].fill(0xff), 3),
        ("a huge length", |file| file[24..32].fill(0xff), 3),
        ("shorter", |file| file.truncate(file.len() - 1), 3),
        ("half", |file| file.truncate(46 + (file.len() - 46) / 2), 2),
        ("longer", |file| file.push(0), 3),
        ("empty", Vec::clear, 0),
        ("another format", |file| file[0] = b'x', 3),
    ];
    for (row, damage, counted) in rows {
        let (_dir, disk_buffer) = temporary();
        let backend = Backend::new();
        let first = Rig::new(&backend, &disk_buffer);
        for names in [&["a"][..], &["b", "b", "b"], &["c"]] {
            first.take(names, true);
        }
        drop(first);
        let path = files(&disk_buffer, "spill").remove(1);
        let mut file = fs::read(&path).unwrap();
        damage(&mut file);
        fs::write(&path, file).unwrap();
        let second = Rig::new(&backend, &disk_buffer);
        let counts = second.counts();
        assert_eq!((counts.set_aside, counts.buffered), (1, 2), "{row}");
        assert_eq!(counts.recovered, 2 + counted, "{row}");
        assert_eq!(counts.lost_to(Loss::DiskBuffer), counted, "{row}");
        second.idle();
        assert_eq!(backend.took(), ["a", "c"], "{row}");
        assert_eq!(files(&disk_buffer, "damaged").len(), 1, "{row}");
    }
}

#[test]
fn file_damaged_while_it_waits_is_set_aside_and_counted() {
    let (_dir, disk_buffer) = temporary();
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    for name in ["a", "b"] {
        rig.take(&[name], true);
    }
    let path = files(&disk_buffer, "spill").remove(0);
    fs::write(&path, "x").unwrap();
    rig.idle();
    let counts = rig.counts();
    assert_eq!((counts.set_aside, counts.delivered), (1, 1));
    assert_eq!(counts.lost_to(Loss::DiskBuffer), 1);
}

#[test]
fn counts_of_a_valid_file_are_those_of_its_request() {
    for spans in [0, 2, u64::MAX] {
        let (_dir, disk_buffer) = temporary();
        fs::create_dir_all(&disk_buffer.directory).unwrap();
        for number in 0..2 {
            let request = prost::Message::encode_to_vec(&request(&["a"]));
            let file = file::encode(&request, spans, std::time::SystemTime::now());
            let path = disk_buffer.directory.join(format!("{number:020}.spill"));
            fs::write(path, file).unwrap();
        }
        let rig = Rig::new(&Backend::new(), &disk_buffer);
        assert!(rig.counts().recovered <= 4, "{spans}");
        rig.idle();
        assert_eq!(rig.counts().set_aside, 2, "{spans}");
        assert_eq!(rig.backend.asked(), 0, "{spans}");
    }
}

#[cfg(unix)]
#[test]
fn special_files_and_links_are_neither_opened_nor_followed() {
    use std::os::unix::fs::symlink;
    let (dir, disk_buffer) = temporary();
    let folder = &disk_buffer.directory;
    fs::create_dir_all(folder).unwrap();
    let target = dir.path().join("target");
    fs::write(&target, "not ours").unwrap();
    let name = |number: u64, ending: &str| folder.join(format!("{number:020}.{ending}"));
    let socket = |path: PathBuf| {
        let bound = std::os::unix::net::UnixListener::bind(path);
        drop(bound.unwrap());
    };
    symlink(&target, name(0, "spill")).unwrap();
    socket(name(1, "spill"));
    fs::create_dir(name(2, "spill")).unwrap();
    symlink(&target, name(18_446_744_073_709_551_614, "unfinished")).unwrap();
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    assert_eq!(rig.counts().set_aside, 3);
    // The next file takes the number 3.
    symlink(&target, name(3, "unfinished")).unwrap();
    rig.take(&["a"], true);
    assert_eq!((rig.counts().buffered, rig.counts().lost()), (1, 0));
    assert_eq!(fs::read_to_string(&target).unwrap(), "not ours");
    drop(rig);
    fs::remove_file(folder.join("lock")).unwrap();
    symlink(dir.path().join("elsewhere"), folder.join("lock")).unwrap();
    let error = DiskBufferStore::open(&disk_buffer, Arc::default()).unwrap_err();
    assert!(error.to_string().contains("`lock`"), "{error}");
    assert!(!dir.path().join("elsewhere").exists());
}

#[test]
fn temporarily_unreadable_file_is_kept_and_does_not_block_others() {
    let (_dir, disk_buffer) = temporary();
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    for name in ["a", "b"] {
        rig.take(&[name], true);
    }
    let path = files(&disk_buffer, "spill").remove(0);
    let file = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let turns = || (0..2).for_each(|_| rig.retry());
    turns();
    assert_eq!(rig.backend.took(), ["b"]);
    fs::remove_dir(&path).unwrap();
    fs::write(&path, file).unwrap();
    turns();
    assert_eq!(rig.backend.took(), ["b", "a"]);
    assert_eq!((rig.counts().buffered, rig.counts().lost()), (0, 0));
}

#[test]
fn number_of_set_aside_files_is_limited() {
    let (_dir, disk_buffer) = temporary();
    fs::create_dir_all(&disk_buffer.directory).unwrap();
    for number in 0..40 {
        fs::write(disk_buffer.directory.join(format!("{number}.spill")), "x").unwrap();
        fs::write(
            disk_buffer
                .directory
                .join(format!("no number {number}.spill")),
            "x",
        )
        .unwrap();
    }
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    assert_eq!(rig.counts().set_aside, 80);
    assert_eq!(files(&disk_buffer, "damaged").len(), 16);
    assert_eq!(files(&disk_buffer, "spill").len(), 0);
}
