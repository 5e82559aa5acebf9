//! Every decoder as a plain function that a fuzzer can call
