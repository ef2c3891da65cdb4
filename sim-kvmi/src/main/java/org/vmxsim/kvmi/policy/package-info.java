/**
 * What a tool may ask and be told, which description of the protocol counts, and which departures of RFC v4's code from
 * it are kept: {@link org.vmxsim.kvmi.policy.IntrospectionConfig}. Nothing is allowed by default, as in the series from
 * v6 on.
 */
package org.vmxsim.kvmi.policy;
