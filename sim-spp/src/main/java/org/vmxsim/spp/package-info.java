/** The sub-page permission table (SPPT): entry format and the hardware walk. */
package org.vmxsim.spp;
