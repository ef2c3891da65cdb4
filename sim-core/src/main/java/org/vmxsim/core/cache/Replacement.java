package org.vmxsim.core.cache;

/** How a set of a cache or TLB chooses the way to give up. */
public enum Replacement {
    /** The way used longest ago, exactly. */
    LRU,
    /** The way that a binary tree of recency bits points at: one bit a node, each pointing away from the last use. */
    TREE_PLRU
}
