//! The book in memory and in its file: the file is replaced first, and believed then.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    time::SystemTime,
};

use tokio::sync::watch;

use super::{
    Refused,
    book::{Book, unix_ms},
    lock,
};

/// What is kept.
pub(super) struct Keep {
    file: PathBuf,
    book: Mutex<Book>,
    /// One change at a time.
    writing: tokio::sync::Mutex<()>,
    changed: watch::Sender<u64>,
}

impl Keep {
    pub(super) fn new(file: PathBuf, book: Book) -> Self {
        let (changed, _) = watch::channel(0);
        Self { file, book: Mutex::new(book), writing: tokio::sync::Mutex::new(()), changed }
    }

    /// The book, for a moment.
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Tells that somebody may be somebody else than before.
    pub(super) fn tell(&self) {
        self.changed.send_modify(|times| *times += 1);
    }

    /// Changes it.
    ///
    /// # Errors
    /// When it can't be written. It is as it was then.
    pub(super) async fn change(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Book) + Send + 'static,
    ) -> Result<(), Refused> {
        let change = |book: &mut Book| {
            change(book);
            Ok(())
        };
        self.try_change(change).await
    }

    /// Changes it, unless the change itself fails.
    ///
    /// # Errors
    /// The change's own, and when it can't be written. It is as it was then.
    pub(super) async fn try_change<T: Send + 'static>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Book) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let keep = Arc::clone(self);
        // In a task of its own: whoever asked for it may go away, and the file and the memory have to agree.
        let changed = tokio::spawn(async move {
            let _turn = keep.writing.lock().await;
            let mut new = keep.book().clone();
            let done = change(&mut new)?;
            new.expire(unix_ms(SystemTime::now()));
            let (file, book) = (keep.file.clone(), new.clone());
            tokio::task::spawn_blocking(move || book.write(&file)).await.map_err(io::Error::other)??;
            *keep.book() = new;
            keep.tell();
            Ok(done)
        });
        changed.await.map_err(io::Error::other)?
    }
}
