/**
 * What instructions mean: each instruction's result once, as static methods over primitives, with the flags it leaves.
 * Handlers call these; a translator can inline them. Grouped as the manual groups instructions; read
 * {@link org.vmxsim.core.semantics.Flags} first.
 */
package org.vmxsim.core.semantics;
