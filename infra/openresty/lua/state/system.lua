-- The system calls that Lua lacks: durable writes, locks, shared memory. Every result is checked.
local ffi = require "ffi"

local C = ffi.C

ffi.cdef [[
int open(const char *path, int flags, ...);
int close(int fd);
int64_t pwrite(int fd, const void *buffer, size_t length, int64_t offset);
int fsync(int fd);
int fdatasync(int fd);
int sync_file_range(int fd, int64_t offset, int64_t length, unsigned int flags);
int ftruncate(int fd, int64_t length);
int flock(int fd, int operation);
int rename(const char *from, const char *to);
int unlink(const char *path);
char *strerror(int number);
void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset);
void *signal(int number, void *handler);
int inet_pton(int family, const char *text, void *address);
]]

-- Linux, the same on x86-64 and arm64.
local O_RDONLY, O_RDWR, O_CREAT, O_TRUNC, O_CLOEXEC = 0, 2, 0x40, 0x200, 0x80000
local OWNER_ONLY = ffi.cast("int", 384) -- 0600
local LOCK_EX_NB = 6
local EINTR, EWOULDBLOCK = 4, 11
local PROT_READ_WRITE, MAP_SHARED_ANONYMOUS = 3, 0x21
local SYNC_FILE_RANGE_WRITE = 2
local SIGXFSZ, SIG_IGN = 25, ffi.cast("void *", 1)
local AF_INET, AF_INET6 = 2, 10

local system = {}

local function failure(what)
  return nil, what .. ": " .. ffi.string(C.strerror(ffi.errno()))
end

local function open(path, flags)
  local fd = C.open(path, flags + O_CLOEXEC, OWNER_ONLY)
  if fd < 0 then
    return failure("open " .. path)
  end
  return fd
end

function system.open_for_write(path)
  return open(path, O_RDWR + O_CREAT)
end

function system.create_empty(path)
  return open(path, O_RDWR + O_CREAT + O_TRUNC)
end

function system.close(fd)
  C.close(fd)
end

-- Writes text, or length bytes of it after the first `from`, at an offset; or says why not. A short write is a failure.
function system.write_at(fd, text, offset, from, length)
  local bytes = ffi.cast("const char *", text) + (from or 0)
  local done = 0
  length = length or #text
  while done < length do
    local written = tonumber(C.pwrite(fd, bytes + done, length - done, offset + done))
    if written > 0 then
      done = done + written
    elseif written == 0 or ffi.errno() ~= EINTR then
      return failure("write")
    end
  end
  return true
end

-- Lets the disk begin with what was written, and does not wait: sync_data, which blocks, then has less to wait for.
function system.begin_sync(fd, offset, length)
  C.sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE)
end

function system.sync_data(fd)
  if C.fdatasync(fd) ~= 0 then
    return failure("fdatasync")
  end
  return true
end

function system.sync_folder(path)
  local fd, problem = open(path, O_RDONLY)
  if not fd then
    return nil, problem
  end
  local result = C.fsync(fd)
  C.close(fd)
  if result ~= 0 then
    return failure("fsync " .. path)
  end
  return true
end

function system.truncate(fd, length)
  if C.ftruncate(fd, length) ~= 0 then
    return failure("truncate")
  end
  return true
end

-- The whole of a small file; nil where it can't be opened.
function system.read_all(path)
  local file = io.open(path, "r")
  local text = file and file:read("*a")
  if file then
    file:close()
  end
  return text
end

function system.rename(from, to)
  if C.rename(from, to) ~= 0 then
    return failure("rename " .. from)
  end
  return true
end

function system.unlink(path)
  if C.unlink(path) ~= 0 then
    return failure("unlink " .. path)
  end
  return true
end

-- true: locked; false: somebody else has it. The kernel releases it when the process dies.
function system.try_lock(fd)
  if C.flock(fd, LOCK_EX_NB) == 0 then
    return true
  end
  if ffi.errno() == EWOULDBLOCK or ffi.errno() == EINTR then
    return false
  end
  return failure("flock")
end

-- Zeroed memory that every process forked afterwards shares.
function system.shared_memory(length)
  local address = C.mmap(nil, length, PROT_READ_WRITE, MAP_SHARED_ANONYMOUS, -1, 0)
  if ffi.cast("intptr_t", address) == -1 then
    return failure("mmap")
  end
  return address
end

-- A write over the process's file size limit must be an error like a full disk, not a deadly signal.
function system.survive_file_size_limit()
  C.signal(SIGXFSZ, SIG_IGN)
end

local address_buffer = ffi.new("uint8_t[16]")

-- Whether text is an IPv4 or IPv6 address.
function system.is_address(text)
  if text:find("[^%x:.]") then
    return false
  end
  return C.inet_pton(AF_INET, text, address_buffer) == 1 or C.inet_pton(AF_INET6, text, address_buffer) == 1
end

return system
