/**
 * The x87 floating-point unit: its state, and what its instructions compute, in exact integer arithmetic. SDM Vol. 1,
 * "Programming with the x87 FPU".
 *
 * <p>Read in this order: {@link org.vmxsim.core.x87.X87State} (the registers), {@code Extended} (one value of 80 bits),
 * {@code Rounder} (rounding control, precision control, overflow and underflow), {@code Arithmetic} (the four
 * operations and square root), {@link org.vmxsim.core.x87.X87Unit} (stack, exceptions, what each instruction does),
 * {@link org.vmxsim.core.x87.X87Image} (FSAVE, FSTENV and FXSAVE images). The transcendental instructions are correctly
 * rounded values of the exact functions, but for the value of pi in argument reduction, which has the 66 bits that the
 * manual gives.
 */
package org.vmxsim.core.x87;
