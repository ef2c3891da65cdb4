package org.vmxsim.core.memory;

/**
 * One region of RAM.
 *
 * @param base first host-physical address
 * @param sizeBytes size, a multiple of 4096
 */
public record RamRange(long base, long sizeBytes) {}
