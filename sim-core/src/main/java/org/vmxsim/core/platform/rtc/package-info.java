/**
 * The real-time clock of the PC/AT with its memory, {@link org.vmxsim.core.platform.rtc.RealTimeClock}. Not modelled:
 * daylight saving, the square-wave output, other time bases than 32,768 Hz (the clock stands still with them).
 */
package org.vmxsim.core.platform.rtc;
