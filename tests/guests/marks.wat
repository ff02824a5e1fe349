;; Marks every page of its memory, its data and a page that it adds, and traps if it finds
;; a mark. So it detects a sandbox that was used before.
(component
  (core module $guest
    (memory (export "memory") PAGES)
    ;; The result ok(some("console")), to which `select` points.
    (data (i32.const 16) "\00\00\00\00\01\00\00\00\20\00\00\00\07\00\00\00console\00")
    (data (i32.const 1024) "\07")
    (table $table 4 funcref)
    (elem declare func $mark)
    (global $calls (mut i32) (i32.const 0))
    (func $mark (param $from i32)
      (loop $next
        (if (i32.lt_u (local.get $from) (i32.mul (memory.size) (i32.const 65536)))
          (then
            (if (i32.load8_u (local.get $from)) (then unreachable))
            (i32.store8 (local.get $from) (i32.const 1))
            (local.set $from (i32.add (local.get $from) (i32.const 4096)))
            (br $next)))))
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      (if (i32.ne (i32.load8_u (i32.const 1024)) (i32.const 7)) (then unreachable))
      (i32.store8 (i32.const 1024) (i32.const 8))
      (if (global.get $calls) (then unreachable))
      (global.set $calls (i32.const 1))
      (if (i32.eqz (ref.is_null (table.get $table (i32.const 3)))) (then unreachable))
      (table.set $table (i32.const 3) (ref.func $mark))
      (if (i32.ne (memory.grow (i32.const 1)) (i32.const PAGES)) (then unreachable))
      (call $mark (i32.const 8192))
      i32.const 16)

    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      global.get $free
      (global.set $free (i32.and
        (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 7))
        (i32.const -8)))))
  (core instance $guest (instantiate $guest))

  (func $select (param "available-tracers" (list string))
      (result (result (option string) (error string)))
    (canon lift (core func $guest "select")
      (memory (core memory $guest "memory")) (realloc (core func $guest "realloc"))))
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
