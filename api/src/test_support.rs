//! An application over a temporary database of either kind, and a client for it.

