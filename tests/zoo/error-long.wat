;; Fails with a message of 10,000 bytes: an escape character, then letters of two bytes.
(component
  (core module $guest
    (memory (export "memory") 1)
    (data (i32.const 16) "\01\00\00\00\00\80\00\00\10\27\00\00")
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      (local $at i32)
      (i32.store8 (i32.const 32768) (i32.const 0x1b))
      (local.set $at (i32.const 32769))
      (loop $again
        ;; The two bytes of "ä".
        (i32.store16 (local.get $at) (i32.const 0xa4c3))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))
        (br_if $again (i32.lt_u (local.get $at) (i32.const 42767))))
      ;; The last of an even number of bytes.
      (i32.store8 (i32.const 42767) (i32.const 0x61))
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
