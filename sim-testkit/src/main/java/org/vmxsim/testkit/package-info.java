/** Properties of one's own sub-page protection policy. */
package org.vmxsim.testkit;
