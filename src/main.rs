//! The program `eyelid`.

use std::process::ExitCode;

fn main() -> ExitCode {
    eyelid::cli::main()
}
