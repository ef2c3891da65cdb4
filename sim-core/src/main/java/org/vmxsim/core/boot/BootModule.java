package org.vmxsim.core.boot;

/**
 * A module that the loader puts into memory beside the program.
 *
 * @param name its string, handed to the program
 * @param bytes its content
 */
public record BootModule(String name, byte[] bytes) {}
