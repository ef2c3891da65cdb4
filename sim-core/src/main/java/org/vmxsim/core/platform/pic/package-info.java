/**
 * The interrupt controllers of the PC/AT: {@link org.vmxsim.core.platform.pic.PicPair}, two Intel 8259A in cascade. All
 * modes of the data sheet are there but MCS-80/85 mode and buffered mode, which a PC cannot see.
 */
package org.vmxsim.core.platform.pic;
