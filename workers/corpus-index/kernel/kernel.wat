;; Scores one query against a contiguous range of vectors.
;; All addresses are bytes and multiples of 16; a stride is the bytes of one vector, padded with zeros to a multiple of 16.
;; Four accumulators hide the latency of the additions; their sum is one float32 per vector.
(module
  (import "arena" "memory" (memory 1))

  (func $sum_of_lanes (param $v v128) (result f32)
    (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $v)) (f32x4.extract_lane 1 (local.get $v)))
      (f32.add (f32x4.extract_lane 2 (local.get $v)) (f32x4.extract_lane 3 (local.get $v)))))

  ;; output[i] = query . vector[i]
  (func (export "dots")
    (param $query i32) (param $vectors i32) (param $stride i32) (param $count i32) (param $output i32)
    (local $vector i32) (local $at i32) (local $wide_end i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $wide_end (i32.and (local.get $stride) (i32.const -64)))
    (local.set $vector (local.get $vectors))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $a (v128.const f32x4 0 0 0 0))
        (local.set $b (v128.const f32x4 0 0 0 0))
        (local.set $c (v128.const f32x4 0 0 0 0))
        (local.set $d (v128.const f32x4 0 0 0 0))
        (local.set $at (i32.const 0))
        (block $wide_done
          (loop $wide
            (br_if $wide_done (i32.ge_u (local.get $at) (local.get $wide_end)))
            (local.set $a (f32x4.add (local.get $a) (f32x4.mul
              (v128.load (i32.add (local.get $query) (local.get $at)))
              (v128.load (i32.add (local.get $vector) (local.get $at))))))
            (local.set $b (f32x4.add (local.get $b) (f32x4.mul
              (v128.load offset=16 (i32.add (local.get $query) (local.get $at)))
              (v128.load offset=16 (i32.add (local.get $vector) (local.get $at))))))
            (local.set $c (f32x4.add (local.get $c) (f32x4.mul
              (v128.load offset=32 (i32.add (local.get $query) (local.get $at)))
              (v128.load offset=32 (i32.add (local.get $vector) (local.get $at))))))
            (local.set $d (f32x4.add (local.get $d) (f32x4.mul
              (v128.load offset=48 (i32.add (local.get $query) (local.get $at)))
              (v128.load offset=48 (i32.add (local.get $vector) (local.get $at))))))
            (local.set $at (i32.add (local.get $at) (i32.const 64)))
            (br $wide)))
        (block $narrow_done
          (loop $narrow
            (br_if $narrow_done (i32.ge_u (local.get $at) (local.get $stride)))
            (local.set $a (f32x4.add (local.get $a) (f32x4.mul
              (v128.load (i32.add (local.get $query) (local.get $at)))
              (v128.load (i32.add (local.get $vector) (local.get $at))))))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br $narrow)))
        (f32.store (local.get $output) (call $sum_of_lanes
          (f32x4.add (f32x4.add (local.get $a) (local.get $b)) (f32x4.add (local.get $c) (local.get $d)))))
        (local.set $output (i32.add (local.get $output) (i32.const 4)))
        (local.set $vector (i32.add (local.get $vector) (local.get $stride)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next))))

  ;; output[i] = |query - vector[i]|^2
  (func (export "squares")
    (param $query i32) (param $vectors i32) (param $stride i32) (param $count i32) (param $output i32)
    (local $vector i32) (local $at i32) (local $wide_end i32)
    (local $a v128) (local $b v128) (local $difference v128)
    (local.set $wide_end (i32.and (local.get $stride) (i32.const -32)))
    (local.set $vector (local.get $vectors))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $a (v128.const f32x4 0 0 0 0))
        (local.set $b (v128.const f32x4 0 0 0 0))
        (local.set $at (i32.const 0))
        (block $wide_done
          (loop $wide
            (br_if $wide_done (i32.ge_u (local.get $at) (local.get $wide_end)))
            (local.set $difference (f32x4.sub
              (v128.load (i32.add (local.get $query) (local.get $at)))
              (v128.load (i32.add (local.get $vector) (local.get $at)))))
            (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $difference) (local.get $difference))))
            (local.set $difference (f32x4.sub
              (v128.load offset=16 (i32.add (local.get $query) (local.get $at)))
              (v128.load offset=16 (i32.add (local.get $vector) (local.get $at)))))
            (local.set $b (f32x4.add (local.get $b) (f32x4.mul (local.get $difference) (local.get $difference))))
            (local.set $at (i32.add (local.get $at) (i32.const 32)))
            (br $wide)))
        (block $narrow_done
          (loop $narrow
            (br_if $narrow_done (i32.ge_u (local.get $at) (local.get $stride)))
            (local.set $difference (f32x4.sub
              (v128.load (i32.add (local.get $query) (local.get $at)))
              (v128.load (i32.add (local.get $vector) (local.get $at)))))
            (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $difference) (local.get $difference))))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br $narrow)))
        (f32.store (local.get $output) (call $sum_of_lanes (f32x4.add (local.get $a) (local.get $b))))
        (local.set $output (i32.add (local.get $output) (i32.const 4)))
        (local.set $vector (i32.add (local.get $vector) (local.get $stride)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next))))
)
