/**
 * Images besides Multiboot 1: {@link org.vmxsim.core.boot.loader.ImageKind} recognises a file;
 * {@link org.vmxsim.core.boot.loader.LinuxImage} (bzImage, 64-bit entry), {@link org.vmxsim.core.boot.loader.PvhImage}
 * and {@link org.vmxsim.core.boot.loader.Elf64Image} follow published boot protocols,
 * {@link org.vmxsim.core.boot.loader.RawImage} is bytes at an address. There is no BIOS behind any of them: interrupt
 * vectors of real mode are zero, and there are no ACPI tables.
 */
package org.vmxsim.core.boot.loader;
