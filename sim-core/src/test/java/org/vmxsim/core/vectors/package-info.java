/**
 * Behaviour recorded elsewhere, to compare the simulated processor with: instruction vectors of a real processor
 * ({@link org.vmxsim.core.vectors.VectorFile}) and the ring-0 scenarios of another emulator. How they are made:
 * {@code src/test/native/README.md}.
 */
package org.vmxsim.core.vectors;
