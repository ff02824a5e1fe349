//! Loading of selectors: each component is compiled once, several in parallel, and a restart finds
//! them in the compile cache. A broken cache never fails a load.

use std::fs;
use std::path::{Path, PathBuf};

use spanmux::{
    CacheState, CompileCache, DirectoryError, LoadReport, Selector as _, SelectorHost,
    SelectorsDirectory,
};
use spanmux_tests::{
    chose, component, decide, environment, folder_of, guest, limits, load, text, zoo,
};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn host_with_cache(directory: &Path) -> SelectorHost {
    SelectorHost::builder()
        .limits(limits())
        .cache(CompileCache::in_directory(directory))
        .build()
        .unwrap()
}

/// Returns the numbers of compiled and of found components.
fn counts(host: &SelectorHost) -> (u64, u64) {
    let status = host.compile_status();
    (status.compiled, status.found)
}

/// Returns the reason why the host's cache is unusable, or `None` if it is usable.
fn unusable(host: &SelectorHost) -> Option<String> {
    match host.compile_status().cache {
        CacheState::Unusable { reason, .. } => Some(reason),
        CacheState::On { .. } => None,
        other => panic!("{other:?}"),
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// Returns the cache files that contain machine code.
fn entries(cache: &Path) -> Vec<PathBuf> {
    let mut entries = files(&cache.join("compiled-selectors-1/code"));
    entries.retain(|path| path.extension().is_none() && !path.ends_with(".cleanup"));
    entries
}

/// Checks that a selector loads and decides, whatever the state of the cache.
fn works(host: &SelectorHost) {
    let selector = load(host, "by-environment", &guest("by-environment"));
    assert!(chose(&decide(&selector, &environment("test")), "console"));
}

#[test]
fn host_has_no_cache_by_default() {
    let host = spanmux_tests::host();
    works(&host);
    let status = host.compile_status();
    assert_eq!(status.cache, CacheState::Off);
    assert_eq!((status.compiled, status.found), (1, 0));
}

#[test]
fn restart_reuses_compiled_components() {
    let cache = folder();
    let directory =
        SelectorsDirectory::new(folder_of("../selectors"), host_with_cache(cache.path()));
    let loaded = |report: &LoadReport| report.loaded().count();

    let first = host_with_cache(cache.path());
    let report = SelectorsDirectory::new(directory.path(), first.clone())
        .load()
        .unwrap();
    assert_eq!((loaded(&report), counts(&first)), (5, (5, 0)));
    assert_eq!(entries(cache.path()).len(), 5);
    assert_eq!(unusable(&first), None);

    for _ in 0..3 {
        let second = host_with_cache(cache.path());
        let report = SelectorsDirectory::new(directory.path(), second.clone())
            .load()
            .unwrap();
        assert_eq!((loaded(&report), counts(&second)), (5, (0, 5)));
        works(&second);
    }
}

#[test]
fn other_limits_do_not_reuse_entries() {
    let cache = folder();
    let bytes = guest("by-environment");
    load(&host_with_cache(cache.path()), "a", &bytes);
    let less = SelectorHost::builder()
        .limits(limits().memory_bytes(1 << 20))
        .cache(CompileCache::in_directory(cache.path()))
        .build()
        .unwrap();
    load(&less, "a", &bytes);
    assert_eq!(counts(&less), (1, 0));
}

#[test]
fn refused_component_is_refused_from_the_cache_too() {
    let cache = folder();
    for _ in 0..2 {
        let host = host_with_cache(cache.path());
        let error = host.load("start-traps", &zoo("start-traps")).unwrap_err();
        assert!(error.to_string().contains("does not start"), "{error}");
    }
}

#[test]
fn start_up_is_checked_again_under_other_limits() {
    let cache = folder();
    let counts_to_thousand = "(func $count (local $i i32) (loop $next (br_if $next (i32.lt_u \
        (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))) \
        (start $count) (global $free";
    let file =
        component(&text("guests", "console").replacen("(global $free", counts_to_thousand, 1));
    let with_fuel = |fuel| {
        SelectorHost::builder()
            .limits(limits().fuel(fuel))
            .cache(CompileCache::in_directory(cache.path()))
            .build()
            .unwrap()
    };
    for found in [0, 1, 1] {
        let host = with_fuel(100_000);
        load(&host, "counts", &file);
        assert_eq!(counts(&host), (1 - found, found));
        let poor = with_fuel(500);
        let error = poor.load("counts", &file).unwrap_err();
        assert!(error.to_string().contains("out of fuel"), "{error}");
        assert_eq!(counts(&poor), (0, 1));
    }
}

#[test]
fn damaged_entry_is_compiled_again() {
    let bytes = guest("by-environment");
    let whole = {
        let cache = folder();
        load(&host_with_cache(cache.path()), "a", &bytes);
        fs::read(&entries(cache.path())[0]).unwrap()
    };
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let mut damaged = vec![
        Vec::new(),
        b"not code".to_vec(),
        whole[..whole.len() / 2].to_vec(),
    ];
    damaged.extend((0..whole.len()).step_by(whole.len() / 20).map(flipped));
    damaged.push([&whole[..], b"more"].concat());

    let cache = folder();
    load(&host_with_cache(cache.path()), "a", &bytes);
    for content in damaged {
        let [entry] = &entries(cache.path())[..] else {
            panic!("one entry");
        };
        fs::write(entry, content).unwrap();
        let host = host_with_cache(cache.path());
        works(&host);
        assert_eq!((counts(&host), unusable(&host)), ((1, 0), None));
        let again = host_with_cache(cache.path());
        works(&again);
        assert_eq!((counts(&again), unusable(&again)), ((0, 1), None));
    }
}

#[test]
fn entry_without_checksum_is_not_used() {
    let cache = folder();
    works(&host_with_cache(cache.path()));
    for sum in files(&cache.path().join("compiled-selectors-1/sums")) {
        fs::remove_file(sum).unwrap();
    }
    let host = host_with_cache(cache.path());
    works(&host);
    assert_eq!(counts(&host), (1, 0));
}

#[test]
fn unusable_cache_fails_no_load_and_reports_the_reason() {
    let place = folder();
    let file = place.path().join("file");
    fs::write(&file, "mine").unwrap();
    for directory in [
        file.clone(),
        file.join("inside"),
        "/dev/null".into(),
        "".into(),
    ] {
        let host = host_with_cache(&directory);
        works(&host);
        assert!(unusable(&host).is_some(), "{}", directory.display());
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");

    // A file has the name of the cache's own directory.
    fs::write(place.path().join("compiled-selectors-1"), "mine").unwrap();
    let host = host_with_cache(place.path());
    works(&host);
    assert!(unusable(&host).is_some());
}

#[cfg(unix)]
#[test]
fn cache_writable_by_others_is_not_used() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let place = folder();
    let own = place.path().join("compiled-selectors-1");
    works(&host_with_cache(place.path()));
    assert_eq!(
        fs::metadata(&own).unwrap().permissions().mode() & 0o777,
        0o700
    );

    for mode in [0o777, 0o770, 0o755] {
        allow(&own, mode);
        let host = host_with_cache(place.path());
        works(&host);
        let reason = unusable(&host).unwrap();
        assert!(reason.contains("other users may enter it"), "{reason}");
        assert_eq!(counts(&host), (1, 0));
    }
    allow(&own, 0o700);

    allow(place.path(), 0o777);
    let host = host_with_cache(place.path());
    works(&host);
    let reason = unusable(&host).unwrap();
    assert!(reason.contains("other users may write to"), "{reason}");
    // As in /tmp, where users can remove only their own files.
    allow(place.path(), 0o1777);
    assert_eq!(unusable(&host_with_cache(place.path())), None);

    let elsewhere = folder();
    symlink(&own, elsewhere.path().join("compiled-selectors-1")).unwrap();
    assert!(unusable(&host_with_cache(elsewhere.path())).is_some());
}

/// In a shared folder such as /tmp, another user may put a link to a directory of their own in place
/// of the configured one.
#[cfg(unix)]
#[test]
fn cache_in_a_directory_of_another_user_is_not_used() {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
    let (shared, others) = (folder(), folder());
    fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let link = shared.path().join("cache");
    symlink(others.path(), &link).unwrap();
    assert_eq!(unusable(&host_with_cache(&link)), None);
    if chown(others.path(), Some(12_345), None).is_err() {
        // Only root may give a directory away.
        return;
    }
    let host = host_with_cache(&link);
    works(&host);
    let reason = unusable(&host).unwrap();
    assert!(reason.contains("belongs to another user"), "{reason}");
    assert_eq!(counts(&host), (1, 0));
}

#[cfg(unix)]
#[test]
fn read_only_cache_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = folder();
    works(&host_with_cache(place.path()));
    let own = place.path().join("compiled-selectors-1");
    fs::set_permissions(&own, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(own.join("test"), "").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    let host = host_with_cache(place.path());
    works(&host);
    assert!(unusable(&host).is_some());
    fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn removed_cache_is_created_again() {
    let place = folder();
    let cache = place.path().join("cache");
    let host = host_with_cache(&cache);
    works(&host);
    // The thread that limits the size of the cache may be writing to it.
    while fs::remove_dir_all(&cache).is_err() && cache.exists() {
        std::thread::yield_now();
    }
    load(&host, "console", &guest("console"));
    assert_eq!((counts(&host), unusable(&host)), ((2, 0), None));
    let again = host_with_cache(&cache);
    load(&again, "console", &guest("console"));
    assert_eq!((counts(&again), unusable(&again)), ((0, 1), None));
}

#[test]
fn cache_that_cannot_store_entries_reports_the_reason() {
    let cache = folder();
    let host = host_with_cache(cache.path());
    // A directory cannot be created where a file exists.
    let modules = cache.path().join("compiled-selectors-1/code/modules");
    fs::write(modules, "in the way").unwrap();
    works(&host);
    let reason = unusable(&host).unwrap();
    assert!(reason.contains("room"), "{reason}");
    assert_eq!(counts(&host), (1, 0));
}

#[test]
fn other_files_in_the_directory_are_not_touched() {
    let place = folder();
    for name in [
        "mine",
        ".cleanup.wip-1",
        "modules/mine",
        "code/mine",
        "sums/mine",
    ] {
        let path = place.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "mine").unwrap();
    }
    let before = files(place.path());
    works(&host_with_cache(place.path()));
    works(&host_with_cache(place.path()));
    let after = files(place.path());
    assert!(before.iter().all(|file| after.contains(file)), "{after:?}");
}

#[test]
fn hosts_can_share_a_cache() {
    let cache = folder();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let host = host_with_cache(cache.path());
                    works(&host);
                    assert_eq!(unusable(&host), None);
                }
            });
        }
    });
    let host = host_with_cache(cache.path());
    works(&host);
    assert_eq!(unusable(&host), None);
}

#[test]
fn cache_in_a_selectors_directory_is_refused() {
    let place = folder();
    fs::write(place.path().join("10-a.wasm"), guest("by-environment")).unwrap();
    for cache in [place.path().to_owned(), place.path().join("deep/inside")] {
        let host = host_with_cache(&cache);
        let error = SelectorsDirectory::new(place.path(), host)
            .load()
            .unwrap_err();
        assert!(
            matches!(error, DirectoryError::HoldsCache { .. }),
            "{error}"
        );
        let message = error.to_string();
        assert!(message.contains("elsewhere"), "{message}");
    }
}

#[test]
fn equal_bytes_are_compiled_once_while_in_use() {
    let host = spanmux_tests::host();
    let bytes = guest("by-environment");
    let first = load(&host, "first", &bytes);
    let second = load(&host, "second", &bytes);
    assert_eq!((first.name(), second.name()), ("first", "second"));
    assert_eq!(first.digest(), second.digest());
    let status = host.compile_status();
    assert_eq!((status.compiled, status.shared), (1, 1));
    drop(first);
    works(&host);
    assert_eq!(host.compile_status().compiled, 1);

    drop(second);
    works(&host);
    let status = host.compile_status();
    assert_eq!((status.compiled, status.shared), (2, 2));

    // Refused components are not kept in memory.
    for _ in 0..2 {
        host.load("trap", &zoo("start-traps")).unwrap_err();
    }
    assert_eq!(host.compile_status().compiled, 4);
}

#[test]
fn reload_compiles_only_new_components() {
    let folder = folder();
    let put = |name: &str, guest_name: &str| {
        fs::write(folder.path().join(name), guest(guest_name)).unwrap();
    };
    put("10-a.wasm", "by-environment");
    put("20-b.wasm", "by-environment");
    let host = spanmux_tests::host();
    let directory = SelectorsDirectory::new(folder.path(), host.clone());
    let report = directory.load().unwrap();
    assert_eq!(host.compile_status().compiled, 1);
    put("30-c.wasm", "console");
    let again = directory.load().unwrap();
    let status = host.compile_status();
    assert_eq!((status.compiled, status.shared), (2, 3));
    assert_eq!(report.loaded().count() + again.loaded().count(), 5);
}

/// Creates a directory with every hostile component and with valid ones, some of them with equal
/// bytes.
fn motley() -> TempDir {
    let folder = folder();
    for entry in fs::read_dir(folder_of("zoo")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let file = folder.path().join(name).with_extension("wasm");
        fs::write(file, component(&text("zoo", name))).unwrap();
    }
    for name in ["a", "b", "c"] {
        let file = folder.path().join(name).with_extension("wasm");
        fs::write(file, guest("by-environment")).unwrap();
    }
    fs::write(folder.path().join("empty.wasm"), "").unwrap();
    folder
}

#[test]
fn parallel_loading_gives_the_same_result_as_serial_loading() {
    let folder = motley();
    let load = |compile_threads| {
        let host = SelectorHost::new(
            limits()
                .compile_threads(compile_threads)
                .selectors(1000)
                .sandboxes(1)
                // The same faults in less time.
                .fuel(1_000_000),
        );
        let directory = SelectorsDirectory::new(folder.path(), host.unwrap());
        let report = directory.load().unwrap();
        let describe = |file: &spanmux::LoadedFile| match &file.outcome {
            Ok(selector) => format!("{} {:?}", selector.name(), selector.digest()),
            Err(error) => format!("{} {error:?} {error}", file.path.display()),
        };
        report.files().iter().map(describe).collect::<Vec<_>>()
    };
    let serial = load(1);
    assert!(serial.len() > 70);
    assert_eq!(load(4), serial);
}

/// Compile time grows faster than the size of a function.
#[test]
fn oversized_function_is_refused_before_compilation() {
    let host = spanmux_tests::host();
    let long = |nops: usize| {
        let body = "nop ".repeat(nops);
        let text = text("guests", "console");
        component(&text.replace("(global $free", &format!("(func {body})\n(global $free")))
    };
    let error = host.load("long", &long(1 << 20)).unwrap_err().to_string();
    assert!(error.contains("bytes of code"), "{error}");
    assert_eq!(host.compile_status().compiled, 0);
    host.load("short", &long(1 << 10)).unwrap();
}

/// Names the cache directory for the child process of the test below.
const FULL: &str = "SPANMUX_FULL_CACHE";

/// Runs a process that cannot write large files, and one whose cache is on a full disk. A partly
/// written entry must never be used.
#[cfg(unix)]
#[test]
fn full_disk_fails_no_load() {
    if let Some(place) = std::env::var_os(FULL) {
        let host = host_with_cache(Path::new(&place));
        works(&host);
        let again = host_with_cache(Path::new(&place));
        works(&again);
        assert_eq!(counts(&again), (1, 0), "nothing was kept");
        println!("worked: {:?}", unusable(&again).or(unusable(&host)));
        return;
    }
    for (what, before) in [
        ("no large file", "trap '' XFSZ; ulimit -f 1"),
        (
            "a full disk",
            "mount -t tmpfs -o size=4k none \"$SPANMUX_FULL_CACHE\"",
        ),
    ] {
        let place = folder();
        let run = "exec \"$0\" full_disk_fails_no_load --exact --nocapture";
        let script = format!("{before} || {{ echo cannot; exit; }}; {run}");
        // With its own mount namespace, which disappears with the process.
        let mut process = match what {
            "a full disk" => {
                let mut process = std::process::Command::new("unshare");
                process.args(["--mount", "bash"]);
                process
            }
            _ => std::process::Command::new("bash"),
        };
        let output = process
            .args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .env(FULL, place.path())
            .output();
        let said = output.map(|output| {
            let out = String::from_utf8_lossy(&output.stdout).into_owned();
            out + &String::from_utf8_lossy(&output.stderr)
        });
        match said {
            Ok(said) if said.contains("worked: ") => println!("{what}: {said}"),
            Ok(said) if said.contains("cannot") || said.contains("not permitted") => {
                println!("skipped: {what} cannot be made by this user: {said}");
            }
            Ok(said) => panic!("{what}: {said}"),
            Err(error) => println!("skipped: {what} cannot be made here: {error}"),
        }
    }
}
