// Boost.Asio, compiled once for client and server.
#include <boost/asio/impl/src.hpp>
