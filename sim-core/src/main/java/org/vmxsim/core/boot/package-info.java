/**
 * Guest programs: {@link org.vmxsim.core.boot.ElfImage} (segments, symbols, notes),
 * {@link org.vmxsim.core.boot.MultibootImage} (recognises and loads Multiboot 1 images),
 * {@link org.vmxsim.core.boot.BootState} (where and in which state the processor begins). The other kinds of image, and
 * how a kind is recognised, are in {@link org.vmxsim.core.boot.loader}.
 */
package org.vmxsim.core.boot;
