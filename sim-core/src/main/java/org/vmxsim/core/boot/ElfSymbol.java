package org.vmxsim.core.boot;

/**
 * A symbol of an ELF image.
 *
 * @param name its name
 * @param address its value
 * @param sizeBytes its size, 0 if not known
 * @param function whether it is code
 */
public record ElfSymbol(String name, long address, long sizeBytes, boolean function) {}
