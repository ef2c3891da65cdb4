package org.vmxsim.core.time;

/**
 * One number (or word) of a timing preset, with where it comes from.
 *
 * @param name dotted name, the unit in it: {@code l1d.latencyCycles}
 * @param value the number or word, as written
 * @param source where it comes from, "assumed" if nowhere, or "override"
 */
public record Parameter(String name, String value, String source) {}
