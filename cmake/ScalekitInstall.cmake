# What `cmake --install` lays down: headers, libraries, the CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

get_property(rooms GLOBAL PROPERTY SCALEKIT_ROOMS)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/scalekit")

foreach(room ${rooms})
  install(TARGETS scalekit_${room} EXPORT scalekitTargets
    FILE_SET HEADERS
    RUNTIME COMPONENT scalekit_Runtime
    LIBRARY COMPONENT scalekit_Runtime NAMELINK_COMPONENT scalekit_Development
    ARCHIVE COMPONENT scalekit_Development)
endforeach()
install(TARGETS scalekit EXPORT scalekitTargets)

install(EXPORT scalekitTargets NAMESPACE scalekit:: DESTINATION "${package_dir}"
  COMPONENT scalekit_Development)
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/scalekitConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/scalekitConfig.cmake"
  INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/scalekitConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/scalekitConfig.cmake" "${PROJECT_BINARY_DIR}/scalekitConfigVersion.cmake"
  DESTINATION "${package_dir}" COMPONENT scalekit_Development)

# pkg-config: a static link wants each library before what it uses, so the last room comes first.
set(pc_libs "")
foreach(room ${rooms})
  if(NOT room STREQUAL testing)
    string(PREPEND pc_libs "-lscalekit_${room} ")
  endif()
endforeach()
set(pc_libpq "")
if(SCALEKIT_WITH_POSTGRES)
  set(pc_libpq " -lpq")
endif()
set(pc_hiredis "")
if(SCALEKIT_WITH_REDIS)
  set(pc_hiredis " -lhiredis")
  if(SCALEKIT_WITH_TLS)
    string(APPEND pc_hiredis " -lssl -lcrypto")
  endif()
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/FindHiredis.cmake"
    DESTINATION "${package_dir}" COMPONENT scalekit_Development)
endif()
set(pc_libmemcached "")
if(SCALEKIT_WITH_MEMCACHED)
  set(pc_libmemcached " -lmemcached")
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/FindLibmemcached.cmake"
    DESTINATION "${package_dir}" COMPONENT scalekit_Development)
endif()
set(pc_libzstd "")
if(SCALEKIT_WITH_ZSTD)
  set(pc_libzstd " -lzstd")
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/FindZstd.cmake"
    DESTINATION "${package_dir}" COMPONENT scalekit_Development)
endif()
cmake_path(IS_ABSOLUTE CMAKE_INSTALL_LIBDIR libdir_is_absolute)
if(libdir_is_absolute)
  set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
  set(pc_libdir "${CMAKE_INSTALL_LIBDIR}")
else()
  file(RELATIVE_PATH up "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
  set(pc_prefix "\${pcfiledir}/${up}")
  set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
configure_file("${PROJECT_SOURCE_DIR}/cmake/scalekit.pc.in" "${PROJECT_BINARY_DIR}/scalekit.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/scalekit.pc"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT scalekit_Development)
