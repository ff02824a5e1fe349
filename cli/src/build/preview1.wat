;; WASI preview 1 for selectors built by a toolchain that requires it. Nothing leaves the
;; component, and every run sees the same system.
;;
;; The clock is virtual: reading it advances it by a microsecond, and a sleep advances it by its
;; duration. Random numbers come from a fixed seed. There are no arguments, no environment, no
;; files and no input. Output is dropped.
;;
;; An adapter that calls the host cannot be used here: a language runtime may read the clock
;; while arguments are written into its memory, and a component must not call out at that time.
(module
  (import "env" "memory" (memory 0))
  (global $now (mut i64) (i64.const 0))
  (global $random (mut i64) (i64.const 0x9e3779b97f4a7c15))

  ;; errno: 8 is badf (no such file descriptor), 52 is nosys (not implemented).

  (func (export "args_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "args_sizes_get") (param $count i32) (param $size i32) (result i32)
    (call $two-zeros (local.get $count) (local.get $size)))
  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "environ_sizes_get") (param $count i32) (param $size i32) (result i32)
    (call $two-zeros (local.get $count) (local.get $size)))
  (func $two-zeros (param $one i32) (param $other i32) (result i32)
    (i32.store (local.get $one) (i32.const 0))
    (i32.store (local.get $other) (i32.const 0))
    (i32.const 0))

  (func (export "clock_res_get") (param i32) (param $out i32) (result i32)
    (i64.store (local.get $out) (i64.const 1000))
    (i32.const 0))
  (func (export "clock_time_get") (param i32 i64) (param $out i32) (result i32)
    (global.set $now (i64.add (global.get $now) (i64.const 1000)))
    (i64.store (local.get $out) (global.get $now))
    (i32.const 0))

  (func (export "random_get") (param $at i32) (param $length i32) (result i32)
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $length)))
        (global.set $random (i64.add (i64.const 1442695040888963407)
          (i64.mul (global.get $random) (i64.const 6364136223846793005))))
        (i64.store8 (local.get $at) (i64.shr_u (global.get $random) (i64.const 56)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $again)))
    (i32.const 0))

  ;; Writes to standard output and standard error succeed and are dropped.
  (func (export "fd_write")
    (param $fd i32) (param $parts i32) (param $count i32) (param $out i32) (result i32)
    (local $written i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $written (i32.add (local.get $written) (i32.load offset=4 (local.get $parts))))
        (local.set $parts (i32.add (local.get $parts) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $again)))
    (i32.store (local.get $out) (local.get $written))
    (i32.const 0))
  ;; Standard input is empty.
  (func (export "fd_read") (param $fd i32) (param i32 i32) (param $out i32) (result i32)
    (if (local.get $fd) (then (return (i32.const 8))))
    (i32.store (local.get $out) (i32.const 0))
    (i32.const 0))
  ;; The three standard streams are character devices.
  (func (export "fd_fdstat_get") (param $fd i32) (param $out i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (memory.fill (local.get $out) (i32.const 0) (i32.const 24))
    (i32.store8 (local.get $out) (i32.const 2))
    (i32.const 0))
  (func (export "fd_fdstat_set_flags") (param i32 i32) (result i32) (i32.const 0))

  ;; The clock subscription with the nearest deadline is ready immediately. Subscriptions to
  ;; files fail with badf.
  (func (export "poll_oneoff")
    (param $waits i32) (param $events i32) (param $count i32) (param $out i32) (result i32)
    (local $left i32) (local $wait i32) (local $nearest i64) (local $files i32) (local $ready i32)
    (local.set $nearest (i64.const -1))
    (local.set $left (local.get $count))
    (local.set $wait (local.get $waits))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $left)))
        (if (i32.load8_u offset=8 (local.get $wait))
          (then (local.set $files (i32.const 1)))
          (else
            (if (i64.lt_u (call $time-of (local.get $wait)) (local.get $nearest))
              (then (local.set $nearest (call $time-of (local.get $wait)))))
            ;; From here on, this is an absolute time.
            (i64.store offset=24 (local.get $wait) (call $time-of (local.get $wait)))
            (i32.store16 offset=40 (local.get $wait) (i32.const 1))))
        (local.set $wait (i32.add (local.get $wait) (i32.const 48)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $again)))
    (if (i32.and (i32.eqz (local.get $files)) (i64.gt_u (local.get $nearest) (global.get $now)))
      (then (global.set $now (local.get $nearest))))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $files (i32.load8_u offset=8 (local.get $waits)))
        (if (i32.or (local.get $files)
            (i64.le_u (i64.load offset=24 (local.get $waits)) (global.get $now)))
          (then
            (memory.fill (local.get $events) (i32.const 0) (i32.const 32))
            (i64.store (local.get $events) (i64.load (local.get $waits)))
            (i32.store16 offset=8 (local.get $events)
              (select (i32.const 8) (i32.const 0) (local.get $files)))
            (i32.store8 offset=10 (local.get $events) (local.get $files))
            (local.set $events (i32.add (local.get $events) (i32.const 32)))
            (local.set $ready (i32.add (local.get $ready) (i32.const 1)))))
        (local.set $waits (i32.add (local.get $waits) (i32.const 48)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $again)))
    (i32.store (local.get $out) (local.get $ready))
    (i32.const 0))
  ;; The deadline of a clock subscription, given as an absolute or a relative time.
  (func $time-of (param $wait i32) (result i64)
    (select
      (i64.load offset=24 (local.get $wait))
      (i64.add (global.get $now) (i64.load offset=24 (local.get $wait)))
      (i32.and (i32.load16_u offset=40 (local.get $wait)) (i32.const 1))))

  (func (export "sched_yield") (result i32) (i32.const 0))
  (func (export "proc_exit") (param i32) unreachable)
  (func (export "proc_raise") (param i32) (result i32) unreachable)

  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_close") (param i32) (result i32) (i32.const 8))
  (func (export "fd_datasync") (param i32) (result i32) (i32.const 8))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_pread") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_pwrite") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_renumber") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_sync") (param i32) (result i32) (i32.const 8))
  (func (export "fd_tell") (param i32 i32) (result i32) (i32.const 8))
  (func (export "path_create_directory") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_get") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32)
    (i32.const 8))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)
    (i32.const 8))
  (func (export "path_readlink") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_remove_directory") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_rename") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_symlink") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_unlink_file") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_accept") (param i32 i32 i32) (result i32) (i32.const 52))
  (func (export "sock_recv") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "sock_send") (param i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "sock_shutdown") (param i32 i32) (result i32) (i32.const 52)))
