-- ssl_certificate_by_lua: which certificates a handshake is answered with.
return function()
  return ngx.exit(ngx.ERROR)
end
