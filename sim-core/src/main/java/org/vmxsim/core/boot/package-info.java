/**
 * Guest programs: {@link org.vmxsim.core.boot.ElfImage} (segments and symbols),
 * {@link org.vmxsim.core.boot.MultibootImage} (recognises and loads Multiboot 1 images),
 * {@link org.vmxsim.core.boot.BootEntry} (where and in which state the processor begins). Not yet: PVH, bzImage, plain
 * 64-bit ELF, raw images.
 */
package org.vmxsim.core.boot;
