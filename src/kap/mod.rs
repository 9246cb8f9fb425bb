//! The kap room.
