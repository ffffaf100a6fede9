# Compiler settings of every target of ours, and the shape of a library.
include(CheckCXXCompilerFlag)

add_library(bahi_options INTERFACE)
target_compile_options(bahi_options INTERFACE
  -Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Wformat=2
  -Wimplicit-fallthrough -Werror -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives of these two inside the standard library under sanitizers.
  target_compile_options(bahi_options INTERFACE -Wshadow=local -Wno-maybe-uninitialized -Wno-restrict)
endif()
if(BAHI_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # A precompiled header loses where g++ 12 silences its false positives inside the standard library.
  target_compile_options(bahi_options INTERFACE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
endif()
if(BAHI_SANITIZE)
  add_compile_options(-fsanitize=${BAHI_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BAHI_SANITIZE})
endif()
if(BAHI_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Asio has fences, which ThreadSanitizer does not see; its queues are guarded by locks all the same.
  target_compile_options(bahi_options INTERFACE -Wno-tsan)
endif()
if(BAHI_FAILPOINTS)
  target_compile_definitions(bahi_options INTERFACE BAHI_FAILPOINTS)
endif()
if(BAHI_PLANTED_BUGS)
  if(NOT BAHI_FAILPOINTS)
    message(FATAL_ERROR "BAHI_PLANTED_BUGS is for test builds, which have BAHI_FAILPOINTS too")
  endif()
  target_compile_definitions(bahi_options INTERFACE BAHI_PLANTED_BUGS)
endif()

# bahi_precompile(target SOURCES … HEADERS …): spares a sixth of the compile time of a target that has some sources.
function(bahi_precompile target)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS" ${ARGN})
  list(LENGTH ARG_SOURCES count)
  if(NOT BAHI_PCH OR count LESS 6)
    return()
  endif()
  target_precompile_headers(${target} PRIVATE
    <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <filesystem> <functional> <map> <memory> <mutex>
    <optional> <set> <span> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector> ${ARG_HEADERS})
endfunction()

# bahi_library(name SOURCES … HEADERS … PUBLIC … PRIVATE …): target bahi_<name>, alias bahi::<name>.
function(bahi_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;PUBLIC;PRIVATE" ${ARGN})
  add_library(bahi_${name} STATIC ${ARG_SOURCES})
  add_library(bahi::${name} ALIAS bahi_${name})
  set_target_properties(bahi_${name} PROPERTIES EXPORT_NAME ${name} VERIFY_INTERFACE_HEADER_SETS ON)
  target_sources(bahi_${name} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${ARG_HEADERS})
  target_include_directories(bahi_${name} PRIVATE src)
  target_compile_features(bahi_${name} PUBLIC cxx_std_20)
  if(BAHI_FAILPOINTS)
    target_compile_definitions(bahi_${name} PUBLIC BAHI_FAILPOINTS)
  endif()
  if(BAHI_PLANTED_BUGS)
    target_compile_definitions(bahi_${name} PUBLIC BAHI_PLANTED_BUGS)
  endif()
  target_link_libraries(bahi_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} $<BUILD_INTERFACE:bahi_options>)
  bahi_precompile(bahi_${name} SOURCES ${ARG_SOURCES})
endfunction()
