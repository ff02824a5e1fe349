#![allow(clippy::unwrap_used)]

use spanmux::{Choice, Limits, RuntimeContext, Selector as _, SelectorHost, TracerNames};

use crate::build::component;

/// A module that checks the whole system interface. It traps on any unexpected value and
/// otherwise abstains.
const LOOKS: &str = r#"(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $now (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $folder (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environment (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $wait (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
  (func $want (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))
  (func $is (param i32 i32) (call $want (i32.eq (local.get 0) (local.get 1))))
  (func $time (result i64)
    (call $is (call $now (i32.const 1) (i64.const 0) (i32.const 512)) (i32.const 0))
    (i64.load (i32.const 512)))
  (func (export "spanmux:selector/selection@0.1.0#select") (param i32 i32) (result i32)
    (local $before i64)
    ;; Reading the clock advances it by a microsecond.
    (local.set $before (call $time))
    (call $want (i64.eq (i64.sub (call $time) (local.get $before)) (i64.const 1000)))
    ;; Two sleeps, of ten and of five seconds: five seconds pass, and the second one is reported.
    (local.set $before (call $time))
    (i64.store (i32.const 1024) (i64.const 7))
    (i64.store (i32.const 1048) (i64.const 10_000_000_000))
    (i64.store (i32.const 1072) (i64.const 8))
    (i64.store (i32.const 1096) (i64.const 5_000_000_000))
    (call $is (call $wait (i32.const 1024) (i32.const 2048) (i32.const 2) (i32.const 512)) (i32.const 0))
    (call $is (i32.load (i32.const 512)) (i32.const 1))
    (call $want (i64.eq (i64.load (i32.const 2048)) (i64.const 8)))
    (call $want (i64.eq (i64.sub (call $time) (local.get $before)) (i64.const 5_000_001_000)))
    ;; Two random numbers differ.
    (call $is (call $random (i32.const 520) (i32.const 16)) (i32.const 0))
    (call $want (i64.ne (i64.load (i32.const 520)) (i64.load (i32.const 528))))
    ;; Output is accepted, input is empty, there are no folders and no environment variables.
    (i32.store (i32.const 600) (i32.const 4096))
    (i32.store (i32.const 604) (i32.const 5))
    (call $is (call $write (i32.const 1) (i32.const 600) (i32.const 1) (i32.const 512)) (i32.const 0))
    (call $is (i32.load (i32.const 512)) (i32.const 5))
    (call $is (call $write (i32.const 3) (i32.const 600) (i32.const 1) (i32.const 512)) (i32.const 8))
    (call $is (call $read (i32.const 0) (i32.const 600) (i32.const 1) (i32.const 512)) (i32.const 0))
    (call $is (i32.load (i32.const 512)) (i32.const 0))
    (call $is (call $folder (i32.const 3) (i32.const 512)) (i32.const 8))
    (call $is (call $environment (i32.const 512) (i32.const 516)) (i32.const 0))
    (call $is (i32.load (i32.const 512)) (i32.const 0))
    (i32.const 640)))"#;

#[test]
fn adapter_implements_the_system_without_host_imports() {
    let module = wat::parse_str(LOOKS).unwrap();
    let component = component::from_build(&module, None).unwrap();
    let host = SelectorHost::new(Limits::default()).unwrap();
    let selector = host.load("looks", &component).unwrap();
    assert_eq!(selector.imports(), [] as [String; 0]);
    let decision = selector.decision(&RuntimeContext::empty().view(), &TracerNames::new(["a"]));
    assert_eq!(decision.choice, Choice::Abstain);
}

#[test]
fn adapter_is_none_when_module_does_not_import_the_system() {
    let module = wat::parse_str(r#"(module (import "env" "f" (func)))"#).unwrap();
    assert_eq!(super::adapter(&module).unwrap(), None);
}
