//! Lua states with hard limits: the host of Heka scripts.
