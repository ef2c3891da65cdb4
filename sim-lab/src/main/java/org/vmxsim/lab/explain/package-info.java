/** One translation, reference by reference. The only place above the VM-exit line that looks at walkers. */
package org.vmxsim.lab.explain;
