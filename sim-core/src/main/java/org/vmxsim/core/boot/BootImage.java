package org.vmxsim.core.boot;

import java.util.List;

/** A program that can be put into memory and begun: an image of one of the known kinds, read and checked. */
public interface BootImage {
    /**
     * Loads the image and what it is told.
     *
     * @param memory where to, all zero
     * @param commandLine the whole command line; whether its first word is the program's name is a matter of the kind
     * @param modules modules in order
     * @return how the processor begins
     * @throws IllegalArgumentException if something does not fit into RAM, or the kind knows no modules
     */
    BootState load(GuestMemory memory, String commandLine, List<BootModule> modules);

    /**
     * The symbols of the image.
     *
     * @return the table, empty if there are none
     */
    SymbolTable symbols();
}
