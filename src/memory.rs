//! Memory that was freed, back to the system.

/// Gives back what is free, once much has been freed at once.
///
/// glibc keeps freed memory for the next time, all of it below the last piece that is still in use. After
/// hundreds of viewers have left, that is tens of MB which a small machine may want for something else.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code, reason = "there is no safe way to call this function of the C library")]
    // SAFETY: it takes no pointer, touches nothing that is in use, and may be called from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
