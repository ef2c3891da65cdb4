/**
 * The interval timer of the PC/AT, {@link org.vmxsim.core.platform.pit.Pit8254}: three counters in six modes, and the
 * port by which software hears the third. Not modelled: the loudspeaker.
 */
package org.vmxsim.core.platform.pit;
