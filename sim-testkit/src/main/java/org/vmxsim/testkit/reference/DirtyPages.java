package org.vmxsim.testkit.reference;

/**
 * The dirty pages of a memslot.
 *
 * @param written one flag for each page: it was written, so it must be dirty
 * @param tried one flag for each page: a write to it was denied, so it may be dirty
 */
public record DirtyPages(boolean[] written, boolean[] tried) {}
