//! Measures how long a closure takes, and prints the median.
//!
//! An argument that is not an option selects the benchmarks whose names contain it. Without
//! `--bench`, which `cargo bench` passes, each closure is called once.

use std::env;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Time for the calls of one closure, and their least number.
const TIME: Duration = Duration::from_secs(3);
const CALLS: usize = 10;

/// Measures `run`, which handles `elements` records or other items in each call.
pub fn measure<T>(name: &str, elements: usize, mut run: impl FnMut() -> T) {
    measure_with(name, elements, || (), |()| run());
}

/// The same with a fresh input for each call. Making it is not measured, nor is dropping the
/// output.
pub fn measure_with<I, T>(
    name: &str,
    elements: usize,
    mut prepare: impl FnMut() -> I,
    mut run: impl FnMut(I) -> T,
) {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (options, filters): (Vec<_>, Vec<_>) =
        arguments.iter().partition(|word| word.starts_with('-'));
    if !filters.is_empty() && !filters.iter().any(|filter| name.contains(*filter)) {
        return;
    }
    let bench = options.iter().any(|option| *option == "--bench");
    let (time, calls) = if bench {
        (TIME, CALLS)
    } else {
        (Duration::ZERO, 1)
    };
    let mut times = Vec::new();
    let begin = Instant::now();
    while times.len() < calls || begin.elapsed() < time {
        let input = black_box(prepare());
        let start = Instant::now();
        let output = black_box(run(input));
        times.push(start.elapsed());
        drop(output);
    }
    times.sort();
    let [fast, median, slow] = [1, 10, 19].map(|part| times[times.len() * part / 20]);
    let each = median.as_nanos() as f64 / elements as f64;
    println!("{name:<45} {median:>10.3?} (9 of 10: {fast:.3?} to {slow:.3?}), {each:.1} ns each");
}
