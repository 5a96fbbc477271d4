//! Has this crate built again when a migration is added: cargo tracks the embedded ones
//! file by file, and a new one is no file that it knows.

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
}
