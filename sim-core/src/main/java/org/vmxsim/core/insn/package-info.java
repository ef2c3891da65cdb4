/**
 * Decoded instructions as chained handler objects; semantics stand in the semantics package and are called from here.
 */
package org.vmxsim.core.insn;
