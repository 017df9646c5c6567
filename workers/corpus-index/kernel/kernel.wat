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

  (func $sums_of_lanes (param $a v128) (param $b v128) (param $c v128) (param $d v128) (result v128)
    (local $ab v128) (local $cd v128)
    (local.set $ab (i32x4.add
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a) (local.get $b))
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a) (local.get $b))))
    (local.set $cd (i32x4.add
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $c) (local.get $d))
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $c) (local.get $d))))
    (i32x4.add
      (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $ab) (local.get $cd))
      (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $ab) (local.get $cd))))

  ;; output[i] = offset[i] - scale * factor[i] * (query . code[i]), with a query of i16 and codes of i8. Codes lie in groups
  ;; of four: eight values of the first, eight of the second, third and fourth, the next eight of the first, and so on. The
  ;; count is a multiple of four, and the width (values of a code) of 16. Writes also the least of each group, one float32 a group.
  (func (export "codes")
    (param $query i32) (param $codes i32) (param $width i32) (param $count i32)
    (param $factors i32) (param $offsets i32) (param $scale f32) (param $output i32)
    (param $least i32)
    (local $values_at i32) (local $query_end i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $values v128)
    (local.set $query_end (i32.add (local.get $query) (i32.shl (local.get $width) (i32.const 1))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $a (v128.const i32x4 0 0 0 0))
        (local.set $b (v128.const i32x4 0 0 0 0))
        (local.set $c (v128.const i32x4 0 0 0 0))
        (local.set $d (v128.const i32x4 0 0 0 0))
        (local.set $values_at (local.get $query))
        (block $summed
          (loop $eights
            (br_if $summed (i32.ge_u (local.get $values_at) (local.get $query_end)))
            (local.set $values (v128.load (local.get $values_at)))
            (local.set $a (i32x4.add (local.get $a)
              (i32x4.dot_i16x8_s (local.get $values) (v128.load8x8_s (local.get $codes)))))
            (local.set $b (i32x4.add (local.get $b)
              (i32x4.dot_i16x8_s (local.get $values) (v128.load8x8_s offset=8 (local.get $codes)))))
            (local.set $c (i32x4.add (local.get $c)
              (i32x4.dot_i16x8_s (local.get $values) (v128.load8x8_s offset=16 (local.get $codes)))))
            (local.set $d (i32x4.add (local.get $d)
              (i32x4.dot_i16x8_s (local.get $values) (v128.load8x8_s offset=24 (local.get $codes)))))
            (local.set $values (v128.load offset=16 (local.get $values_at)))
            (local.set $a (i32x4.add (local.get $a)
              (i32x4.dot_i16x8_s (local.get $values) (v128.load8x8_s offset=32 (local.get $codes)))))
            (local.set $b (i32x4.add (local.get $b)
              (i32x4.dot_i16x8_s (local.get $values) (v128.load8x8_s offset=40 (local.get $codes)))))
            (local.set $c (i32x4.add (local.get $c)
              (i32x4.dot_i16x8_s (local.get $values) (v128.load8x8_s offset=48 (local.get $codes)))))
            (local.set $d (i32x4.add (local.get $d)
              (i32x4.dot_i16x8_s (local.get $values) (v128.load8x8_s offset=56 (local.get $codes)))))
            (local.set $values_at (i32.add (local.get $values_at) (i32.const 32)))
            (local.set $codes (i32.add (local.get $codes) (i32.const 64)))
            (br $eights)))
        (local.set $values (f32x4.sub
          (v128.load (local.get $offsets))
          (f32x4.mul
            (f32x4.mul (f32x4.splat (local.get $scale)) (v128.load (local.get $factors)))
            (f32x4.convert_i32x4_s (call $sums_of_lanes
              (local.get $a) (local.get $b) (local.get $c) (local.get $d))))))
        (v128.store (local.get $output) (local.get $values))
        (local.set $values (f32x4.pmin (local.get $values)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $values) (local.get $values))))
        ;; Not f32.min, which is a branch: guessed wrong, it throws away what was begun of the next group.
        (v128.store32_lane 0 (local.get $least) (f32x4.pmin (local.get $values)
          (i8x16.shuffle 4 5 6 7 0 1 2 3 8 9 10 11 12 13 14 15 (local.get $values) (local.get $values))))
        (local.set $least (i32.add (local.get $least) (i32.const 4)))
        (local.set $output (i32.add (local.get $output) (i32.const 16)))
        (local.set $offsets (i32.add (local.get $offsets) (i32.const 16)))
        (local.set $factors (i32.add (local.get $factors) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 4)))
        (br $next))))

  ;; The dot product of a query of f64 and a vector of f32, summed in double; the stride is that of the vector.
  (func (export "exact_dot") (param $query i32) (param $vector i32) (param $stride i32) (result f64)
    (local $wide_end i32) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $wide_end (i32.add (local.get $vector) (i32.and (local.get $stride) (i32.const -32))))
    (block $done
      (loop $eight
        (br_if $done (i32.ge_u (local.get $vector) (local.get $wide_end)))
        (local.set $a (f64x2.add (local.get $a) (f64x2.mul
          (v128.load (local.get $query))
          (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $vector))))))
        (local.set $b (f64x2.add (local.get $b) (f64x2.mul
          (v128.load offset=16 (local.get $query))
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=8 (local.get $vector))))))
        (local.set $c (f64x2.add (local.get $c) (f64x2.mul
          (v128.load offset=32 (local.get $query))
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=16 (local.get $vector))))))
        (local.set $d (f64x2.add (local.get $d) (f64x2.mul
          (v128.load offset=48 (local.get $query))
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=24 (local.get $vector))))))
        (local.set $query (i32.add (local.get $query) (i32.const 64)))
        (local.set $vector (i32.add (local.get $vector) (i32.const 32)))
        (br $eight)))
    (if (i32.and (local.get $stride) (i32.const 16))
      (then
        (local.set $a (f64x2.add (local.get $a) (f64x2.mul
          (v128.load (local.get $query))
          (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $vector))))))
        (local.set $b (f64x2.add (local.get $b) (f64x2.mul
          (v128.load offset=16 (local.get $query))
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=8 (local.get $vector))))))))
    (local.set $a (f64x2.add
      (f64x2.add (local.get $a) (local.get $b))
      (f64x2.add (local.get $c) (local.get $d))))
    (f64.add (f64x2.extract_lane 0 (local.get $a)) (f64x2.extract_lane 1 (local.get $a))))
)
