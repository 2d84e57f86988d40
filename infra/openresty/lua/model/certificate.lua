-- Certificate/NAMESPACE/NAME: kept, and counted in the digest, for the version that serves TLS.
return function()
  return "certificates are not served until the next version of the node"
end
