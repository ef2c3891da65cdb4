/** Bits of machine words, named by the manual's bit numbers: the one place where masks are made. */
package org.vmxsim.core.bits;
